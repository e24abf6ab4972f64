package reconcile

import (
	"testing"

	"github.com/pocketbase/pocketbase/core"

	"github.com/doubletap/doubletap/internal/db"
	"github.com/doubletap/doubletap/internal/db/dbtest"
)

// TestReaderFunctionsTakeAnyArguments calls them as any statement may, such as a view in the dashboard: with too few
// values, too many and ones of other kinds. None of that may end the process, nor prove a row.
func TestReaderFunctionsTakeAnyArguments(t *testing.T) {
	app := dbtest.NewApp(t, core.BaseAppConfig{})
	r := &rowReader{proof: &proof{texts: []string{"a", "b"}, numbers: []string{"c"}, isSound: func(r *rowReader) bool { return r.texts[1] == "y" && r.numbers[0] == 7 }}}
	number, forget := r.register()
	defer forget()
	p := db.Params{"r": number}
	for arguments, sound := range map[string]bool{
		"": false, "NULL": false, "x''": false, "'1'": false, "1.5": false, "-1": false, "{:r}": false, "{:r}, 0": false, "{:r}, 0, 'x', 'y'": false,
		"{:r}, 0, 7, 'x', 'y'": false, "{:r}, 0, 'x', 7, 'y'": false, "{:r}, 0, 'x', 'y', 'z'": false, "{:r}, 0, 'x', 'y', 7, 7": false,
		"{:r}, 0, 'x', x'79', 7": false, "{:r}, 0, 'x', NULL, 7": false, "{:r}, 0, 'x', 'y', 7.0": false, "{:r}, 1, 'x', 'y', 7": false, "{:r}, NULL, 'x', 'y', 7": false,
		"{:r}, 0, 'x', 'y', 7": true,
	} {
		for _, function := range []string{soundRow, rowEvent} {
			var is bool
			if _, err := db.QueryValue(app, &is, "SELECT "+function+"("+arguments+")", p); err != nil {
				t.Errorf("%s(%s): %v", function, arguments, err)
			}
			if want := sound && function == soundRow; is != want {
				t.Errorf("%s(%s) is %v, want %v", function, arguments, is, want)
			}
		}
	}
}
