package sweep

import (
	"sync"
	"time"

	"github.com/pocketbase/pocketbase/core"

	"doubletap/internal/db"
)

// statementRows is how many rows one statement changes at most, as the clock is looked at between two.
const statementRows = 100

// budget is what is left for all works that begin or go on in one transaction.
type budget struct {
	until time.Time
	rows  int
	most  int  // that a statement does
	least bool // a statement's rows are done however late it is, and however long it took to find some
}

// budgets are those of the transactions under way, by their TxInfo.
var budgets sync.Map

func budgetOf(tx core.App) *budget {
	info := tx.TxInfo()
	if known, ok := budgets.Load(info); ok {
		return known.(*budget)
	}
	pace := db.PaceOf(tx)
	b := &budget{until: db.Began(tx).Add(pace.Time), rows: pace.Rows, most: statementRows}
	budgets.Store(info, b)
	info.OnComplete(func(error) error {
		budgets.Delete(info)
		return nil
	})
	return b
}

// affords returns how many rows of the weight may be done now.
func (b *budget) affords(weight int) int {
	if b.rows <= 0 || !b.least && !time.Now().Before(b.until) {
		return 0
	}
	return max(1, min(b.most, b.rows)/weight)
}

func (b *budget) spend(rows int) {
	b.rows -= rows
	b.least = b.least && rows == 0
}
