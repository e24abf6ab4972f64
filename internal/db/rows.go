package db

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"io"

	"doubletap/internal/fault"
)

// typedRows is what database/sql uses of the driver's rows.
type typedRows interface {
	driver.Rows
	driver.RowsColumnTypeDatabaseTypeName
	driver.RowsColumnTypeLength
	driver.RowsColumnTypeNullable
	driver.RowsColumnTypePrecisionScale
	driver.RowsColumnTypeScanType
}

// rows give their statement back when they are closed.
type rows struct {
	typedRows
	conn   *conn
	from   *entry
	stop   func() // of interrupts; nil for none
	over   bool   // closed, perhaps with their transaction
	budget *readBudget

	values []driver.Value // of the row that may be scanned
	cut    error          // what ended the rows before their end
}

var _ driver.RowsColumnScanner = (*rows)(nil)

// opened returns rows that the driver has found, from an entry if it has to be kept.
func (c *conn) opened(ctx context.Context, found driver.Rows, from *entry) *rows {
	r := &rows{typedRows: found.(typedRows), conn: c, from: from, budget: readBudgetOf(ctx)}
	r.values = make([]driver.Value, len(found.Columns()))
	c.open[r] = struct{}{}
	return r
}

// NextRow implements driver.RowsColumnScanner. An error in the midst of the rows is at first a row that cannot be scanned: dbx,
// and with it PocketBase, never asks sql.Rows.Err, and would take the rows before it for all there are.
func (r *rows) NextRow() error {
	if r.cut != nil {
		return r.cut
	}
	err := r.Next(r.values)
	if err != nil && err != io.EOF {
		r.cut, err = err, nil
	}
	return err
}

// ScanColumn implements driver.RowsColumnScanner.
func (r *rows) ScanColumn(ctx driver.ScanContext, column int, value any) error {
	if r.cut != nil {
		return r.cut
	}
	return sql.ConvertAssign(ctx, value, r.values[column])
}

// Next implements driver.Rows.
func (r *rows) Next(row []driver.Value) (err error) {
	expectFault()
	defer r.conn.endFault(&err)
	if r.over {
		return fault.ErrHeld
	}
	if err := r.typedRows.Next(row); err != nil {
		return err
	}
	return r.budget.spend(row)
}

// Close implements driver.Rows.
func (r *rows) Close() error {
	if r.stop != nil {
		r.stop()
	}
	if r.conn.lost || r.over {
		return nil
	}
	r.over = true
	delete(r.conn.open, r)
	err := r.typedRows.Close()
	if r.from != nil {
		r.conn.keep(r.from)
		r.from = nil
	}
	return err
}
