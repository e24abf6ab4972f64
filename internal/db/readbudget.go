package db

import (
	"context"
	"database/sql/driver"
	"sync/atomic"
)

// readBudget limits how many bytes the statements that run with its context may read together. It counts texts and
// blobs.
type readBudget struct {
	left    atomic.Int64
	errOver error
}

type readBudgetKey struct{}

// LimitReads returns a context whose statements may read this many bytes together. A statement that reads more ends
// with the error over.
func LimitReads(ctx context.Context, bytes int64, over error) context.Context {
	budget := &readBudget{errOver: over}
	budget.left.Store(bytes)
	return context.WithValue(ctx, readBudgetKey{}, budget)
}

// readBudgetOf returns the budget of a context, or nil if it has none.
func readBudgetOf(ctx context.Context) *readBudget {
	budget, _ := ctx.Value(readBudgetKey{}).(*readBudget)
	return budget
}

func (b *readBudget) spendRow(row []driver.Value) error {
	if b == nil {
		return nil
	}
	read := 0
	for _, value := range row {
		switch v := value.(type) {
		case string:
			read += len(v)
		case []byte:
			read += len(v)
		}
	}
	if b.left.Add(int64(-read)) < 0 {
		return b.errOver
	}
	return nil
}
