package hooks

import (
	"errors"
	"net/http"
	"sync"
	"sync/atomic"

	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/hook"
	"github.com/pocketbase/pocketbase/tools/types"

	"doubletap/internal/fault"
)

// maxAnswerBytes is how many bytes a guest or a user may be answered, counted as they are stored. How many records an answer may
// have is known before anything is read (guard.CheckQuestion); how large they are only while they are read.
const maxAnswerBytes = 16 << 20

var errAnswerTooLarge = fault.Refused("The request asks for too much: the answer would be larger than 16 MiB. Ask for a smaller page or expand less.")

// bindAnswerSize makes the answers to a client's reads whole or errors. PocketBase leaves out what it could not
// expand and says so only in the log.
func (s *Social) bindAnswerSize() {
	s.app.OnRecordEnrich().Bind(&hook.Handler[*core.RecordEnrichEvent]{Func: answerIsWhole, Priority: first})
}

func answerIsWhole(e *core.RecordEnrichEvent) error {
	if err := e.Next(); err != nil {
		return err
	}
	client, ok := e.App.(clientApp)
	if !ok || e.RequestInfo.Context == core.RequestInfoContextExpand || !client.answer.reads {
		return nil
	}
	return client.answer.add(e.Record)
}

// clientAnswer is what is known of the answer to a client's request.
type clientAnswer struct {
	reads bool        // and stores nothing: what was stored must not be answered with an error
	given atomic.Bool // the request has ended

	mu    sync.Mutex
	cut   error // what ended the first read that was cut short
	bytes int
	sizes map[*core.Record]int // of those that are shown in several places
}

func newClientAnswer(method string) *clientAnswer {
	return &clientAnswer{reads: method == http.MethodGet || method == http.MethodHead}
}

// failed notes how a read ended.
func (a *clientAnswer) failed(err error) {
	if errors.Is(err, errAnswerTooLarge) || fault.Interrupted(err) || fault.Passing(err) {
		a.mu.Lock()
		defer a.mu.Unlock()
		a.cut = err
	}
}

// unread is what kept a read from being done that may well be done later; nil for nothing, and for an answer to what stores.
func (a *clientAnswer) unread() error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if !a.reads || !fault.Passing(a.cut) {
		return nil
	}
	return a.cut
}

// add counts a record with what is expanded in it, and returns why the answer cannot be given.
func (a *clientAnswer) add(record *core.Record) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.cut != nil {
		return a.cut
	}
	if len(record.Expand()) == 0 { // has been counted when it was read
		return nil
	}
	if a.sizes == nil {
		a.sizes = map[*core.Record]int{}
	}
	if a.bytes += a.size(record); a.bytes > maxAnswerBytes {
		return errAnswerTooLarge
	}
	return nil
}

func (a *clientAnswer) size(record *core.Record) int {
	size, known := a.sizes[record]
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
			size += a.size(e)
		case []*core.Record:
			for _, record := range e {
				size += a.size(record)
			}
		}
	}
	a.sizes[record] = size
	return size
}
