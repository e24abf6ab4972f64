package reconcile

import (
	"database/sql/driver"
	"sync"

	"modernc.org/sqlite" // PocketBase's own driver
)

// SQL functions of the statements that read a page for a proof, with the number of the page's reader before the values.
const (
	proveRow = "doubletap_prove" // reads a row; whether it is the last one of the page
	rowEvent = "doubletap_event" // adds an event to what is known of the notification that proveRow is called for next
)

// rowReader reads the rows of a page for a proof. SQLite calls it with the values of a row as they lie in its memory: to
// make one text of a page, or rows for database/sql, copies them several times. So none of the texts may be kept.
type rowReader struct {
	proof   *proof
	memory  *memory
	texts   []string // of the row
	numbers []int64
	events  eventsOfRow
	list    []byte // the actors of a notification as JSON; it is kept for the next one
	hasOdd  bool   // a value was of another kind than its column is

	room   int     // how many more rows the page has room for
	last   int64   // the rowid of the last row that was read
	unsure []int64 // the rowids of those that are not proved to be sound
}

// readers are those of the pages that are being read, by number.
var readers = struct {
	sync.RWMutex
	byNumber map[int64]*rowReader
	last     int64
}{byNumber: map[int64]*rowReader{}}

// register returns the number by which statements call the reader, until forget.
func (r *rowReader) register() (number int64, forget func()) {
	readers.Lock()
	defer readers.Unlock()
	readers.last++
	number = readers.last
	readers.byNumber[number] = r
	return number, func() {
		readers.Lock()
		defer readers.Unlock()
		delete(readers.byNumber, number)
	}
}

func init() {
	for name, read := range map[string]func(r *rowReader, values []driver.Value) bool{proveRow: (*rowReader).readRow, rowEvent: (*rowReader).readEvent} {
		sqlite.MustRegisterFunction(name, &sqlite.FunctionImpl{NArgs: -1, VolatileArgs: true, Scalar: func(_ *sqlite.FunctionContext, args []driver.Value) (driver.Value, error) {
			return callReader(read, args), nil
		}})
	}
}

// callReader has the reader that the first argument tells read the others. Any statement may call the functions, a view
// of the dashboard's too, so that there may be no such argument and no such reader.
func callReader(read func(r *rowReader, values []driver.Value) bool, args []driver.Value) bool {
	if len(args) == 0 {
		return false
	}
	number, _ := args[0].(int64) // no reader has the number 0
	readers.RLock()
	r := readers.byNumber[number]
	readers.RUnlock()
	return r != nil && read(r, args[1:])
}

// readRow reads the rowid of a row, whether an invariant is broken that the proof tells nothing of, and the values of the
// proof, and reports whether the page ends with the row. A value of another kind than its column's, such as a BLOB, is to
// SQL another value than the same text, so that such a row is neither proved nor remembered.
func (r *rowReader) readRow(values []driver.Value) (isLast bool) {
	defer r.events.clear()
	if len(values) != 2+len(r.proof.texts)+len(r.proof.numbers) {
		return false
	}
	r.last, _ = values[0].(int64)
	areKinds := r.takeValues(values[2:])
	r.hasOdd = r.hasOdd || !areKinds
	if !areKinds || !r.proof.isSound(r) || values[1] != int64(0) {
		r.unsure = append(r.unsure, r.last)
	}
	r.room--
	return r.room == 0
}

// takeValues keeps the texts and the numbers of a row, which come in this order, and reports whether they are those of
// the proof.
func (r *rowReader) takeValues(values []driver.Value) bool {
	r.texts, r.numbers = r.texts[:0], r.numbers[:0]
	for i, value := range values {
		if i < len(r.proof.texts) {
			text, isText := value.(string)
			if !isText {
				return false
			}
			r.texts = append(r.texts, text)
			continue
		}
		number, isNumber := value.(int64)
		if !isNumber {
			return false
		}
		r.numbers = append(r.numbers, number)
	}
	return true
}

// namedActors is how many actors a notification names, the newest ones.
const namedActors = 8

// eventsOfRow is what the events of a notification say about it.
type eventsOfRow struct {
	count      int64               // of active events
	newest     [namedActors][]byte // the actors of the newest ones; that of the nth, from 0, is at n modulo 8
	last       []byte              // when the newest one was
	lastRow    int64
	areUnclear bool // an event is another recipient's, or comes after a later one
}

func (n *eventsOfRow) clear() { n.count, n.last, n.areUnclear = 0, n.last[:0], false }

// readEvent reads the actor, the moment, whether it is active, whether it is the notification's recipient's, and the rowid of an event.
// It returns false, so that a search for an event of which it were true goes through all.
func (r *rowReader) readEvent(values []driver.Value) bool {
	n := &r.events
	if len(values) != 5 {
		n.areUnclear = true
		return false
	}
	actor, isText := values[0].(string)
	created, isMoment := values[1].(string)
	isActive, isNumber := values[2].(int64)
	row, _ := values[4].(int64)
	if !isText || !isMoment || !isNumber || values[3] != int64(1) {
		n.areUnclear = true
		return false
	}
	if isActive == 0 {
		return false
	}
	n.areUnclear = n.areUnclear || n.count > 0 && (created < string(n.last) || created == string(n.last) && row <= n.lastRow)
	n.last, n.lastRow = append(n.last[:0], created...), row
	name := &n.newest[n.count%namedActors]
	*name = append((*name)[:0], actor...)
	n.count++
	return false
}
