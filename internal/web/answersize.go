package web

import (
	"errors"
	"net/http"
	"sync"
	"sync/atomic"

	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/types"

	"github.com/doubletap/doubletap/internal/fault"
)

// MaxAnswerBytes is how many bytes a guest or a user may be answered with, counted as they are stored. How many
// records an answer may have is known before anything is read (guard.CheckQuery); how large they are is known only
// while they are read.
const MaxAnswerBytes = 16 << 20

var errAnswerTooLarge = fault.BadRequest("The request asks for too much: the answer would be larger than 16 MiB. Ask for a smaller page or expand less.")

// RequireWholeAnswer makes the answer to a client's read complete or an error. PocketBase leaves out what it could not
// expand and says so only in the log.
func RequireWholeAnswer(e *core.RecordEnrichEvent) error {
	if err := e.Next(); err != nil {
		return err
	}
	client, ok := e.App.(clientApp)
	if !ok || e.RequestInfo.Context == core.RequestInfoContextExpand || !client.answer.isRead {
		return nil
	}
	return client.answer.addRecord(e.Record)
}

// clientAnswer is what is known so far of the answer to a client's request.
type clientAnswer struct {
	isRead bool        // the request stores nothing: what was stored must not be answered with an error
	ended  atomic.Bool // the request has ended

	mu          sync.Mutex
	readErr     error // why the last read that was cut short ended
	byteCount   int
	recordSizes map[*core.Record]int // of records that are shown in several places
}

func newClientAnswer(method string) *clientAnswer {
	return &clientAnswer{isRead: isReadMethod(method)}
}

func isReadMethod(method string) bool { return method == http.MethodGet || method == http.MethodHead }

// noteFailure keeps err if it means that a read was cut short.
func (a *clientAnswer) noteFailure(err error) {
	if errors.Is(err, errAnswerTooLarge) || fault.IsInterrupted(err) || fault.IsTransient(err) {
		a.mu.Lock()
		defer a.mu.Unlock()
		a.readErr = err
	}
}

// unread is what kept a read from being done that may well be done later; nil for nothing, and for an answer to what stores.
func (a *clientAnswer) unread() error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if !a.isRead || !fault.IsTransient(a.readErr) {
		return nil
	}
	return a.readErr
}

// addRecord counts a record with what is expanded in it, and returns why the answer cannot be given.
func (a *clientAnswer) addRecord(record *core.Record) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.readErr != nil {
		return a.readErr
	}
	if len(record.Expand()) == 0 { // counted when it was read
		return nil
	}
	if a.recordSizes == nil {
		a.recordSizes = map[*core.Record]int{}
	}
	if a.byteCount += a.sizeOf(record); a.byteCount > MaxAnswerBytes {
		return errAnswerTooLarge
	}
	return nil
}

func (a *clientAnswer) sizeOf(record *core.Record) int {
	size, known := a.recordSizes[record]
	if known {
		return size
	}
	for _, field := range record.Collection().Fields {
		switch value := record.GetRaw(field.GetName()).(type) {
		case string:
			size += len(value)
		case types.JSONRaw:
			size += len(value)
		}
	}
	for _, expanded := range record.Expand() {
		switch e := expanded.(type) {
		case *core.Record:
			size += a.sizeOf(e)
		case []*core.Record:
			for _, record := range e {
				size += a.sizeOf(record)
			}
		}
	}
	a.recordSizes[record] = size
	return size
}
