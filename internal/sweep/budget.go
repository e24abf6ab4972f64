package sweep

import (
	"sync"
	"time"

	"github.com/pocketbase/pocketbase/core"

	"github.com/doubletap/doubletap/internal/db"
)

// maxStatementRows is how many rows one statement changes at most, as the clock is looked at between two.
const maxStatementRows = 100

// budget is what is left for all works that begin or go on in one transaction.
type budget struct {
	deadline   time.Time
	rowsLeft   int
	most       int  // that a statement does
	guaranteed bool // a statement's rows are done however late it is, and however long it took to find some
}

// openBudgets are the budgets of the transactions that are open, by their TxInfo.
var openBudgets sync.Map

func budgetOf(tx core.App) *budget {
	info := tx.TxInfo()
	if known, ok := openBudgets.Load(info); ok {
		return known.(*budget)
	}
	pace := db.PaceOf(tx)
	b := &budget{deadline: db.TransactionBegan(tx).Add(pace.Time), rowsLeft: pace.Rows, most: maxStatementRows}
	openBudgets.Store(info, b)
	info.OnComplete(func(error) error {
		openBudgets.Delete(info)
		return nil
	})
	return b
}

// affordableRows returns how many rows of the weight may be done now; 0 when the budget is spent.
func (b *budget) affordableRows(weight int) int {
	if b.rowsLeft <= 0 || !b.guaranteed && !time.Now().Before(b.deadline) {
		return 0
	}
	return max(1, min(b.most, b.rowsLeft)/weight)
}

func (b *budget) spendRows(rows int) {
	b.rowsLeft -= rows
	b.guaranteed = b.guaranteed && rows == 0
}
