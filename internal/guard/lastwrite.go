package guard

import (
	"fmt"

	"github.com/pocketbase/pocketbase/core"
)

// lastWriteKey is where a record stores what this process wrote of it last. PocketBase leaves keys with this beginning
// out of all that it shows.
const lastWriteKey = "@pbInternalDoubletapWritten"

// lastWrite is what was written last from one Go record. If the transaction of that write is rolled back, the record
// is compared with committed instead, which is nil after the commit.
type lastWrite struct{ values, committed map[string]any }

// BeginUpdate makes an update write what changed since the record was read or last stored, and nothing else: other
// fields may have been changed by somebody else meanwhile. From here on, Original() returns what was last stored from
// this record.
func BeginUpdate(record *core.Record) {
	if last, ok := record.GetRaw(lastWriteKey).(lastWrite); ok {
		setOriginal(record, last.values)
	}
	record.IgnoreUnchangedFields(true)
}

// NoteStored records what a create or an update has just stored. app is the transaction, if there is one.
func NoteStored(app core.App, record *core.Record) error {
	last := lastWrite{committed: fieldValues(record.Original())}
	if before, ok := record.GetRaw(lastWriteKey).(lastWrite); ok && before.committed != nil {
		last.committed = before.committed // the second write of one transaction
	}
	columns, err := record.IgnoreUnchangedFields(false).DBExport(app)
	if err != nil {
		return fmt.Errorf("note what was stored of %s %q: %w", record.Collection().Name, record.Id, err)
	}
	last.values = make(map[string]any, len(columns))
	for _, field := range record.Collection().Fields {
		name := field.GetName()
		if last.values[name], err = field.PrepareValue(record, columns[name]); err != nil {
			return fmt.Errorf("note what was stored of %s %q: %w", record.Collection().Name, name, err)
		}
	}
	record.SetRaw(lastWriteKey, last)
	tx := app.TxInfo()
	if tx == nil {
		record.SetRaw(lastWriteKey, lastWrite{values: last.values})
		return nil
	}
	tx.OnComplete(func(err error) error {
		last, ok := record.GetRaw(lastWriteKey).(lastWrite)
		switch {
		case !ok || last.committed == nil: // another write of the transaction has done it
		case err == nil:
			record.SetRaw(lastWriteKey, lastWrite{values: last.values})
		default:
			setOriginal(record, last.committed)
			record.SetRaw(lastWriteKey, nil)
		}
		return nil
	})
	return nil
}

func fieldValues(record *core.Record) map[string]any {
	values := make(map[string]any, len(record.Collection().Fields))
	for _, field := range record.Collection().Fields {
		values[field.GetName()] = record.GetRaw(field.GetName())
	}
	return values
}

// setOriginal makes Original() return these values, and leaves the record's own values as they are.
func setOriginal(record *core.Record, values map[string]any) {
	now := fieldValues(record)
	for name, value := range values {
		if password, ok := value.(*core.PasswordFieldValue); ok { // PostScan asks for the plain password, which nobody has
			value = &core.PasswordFieldValue{Hash: password.Hash, Plain: password.Hash}
		}
		record.SetRaw(name, value)
	}
	_ = record.PostScan() // fails only without an id: a record that was never stored has nothing to compare with
	for name, value := range now {
		record.SetRaw(name, value)
	}
}
