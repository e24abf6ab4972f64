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
	for arguments, want := range map[string]string{
		"": "", "NULL": "", "x''": "", "'1'": "", "1.5": "", "-1": "", "{:r}": "", "{:r}, 3": "", "{:r}, 3, 0": "", "{:r}, 3, 0, 'x', 'y'": "", "{:r}, 3, 0, 'x', 'y', 7, 7": "",
		"{:r}, 3, 0, 7, 'x', 'y'": "unsure", "{:r}, 3, 0, 'x', 7, 'y'": "unsure", "{:r}, 3, 0, 'x', 'y', 'z'": "unsure",
		"{:r}, 3, 0, 'x', x'79', 7": "unsure", "{:r}, 3, 0, 'x', NULL, 7": "unsure", "{:r}, 3, 0, 'x', 'y', 7.0": "unsure", "{:r}, 3, 1, 'x', 'y', 7": "unsure", "{:r}, 3, NULL, 'x', 'y', 7": "unsure",
		"{:r}, 3, 0, 'x', 'y', 7": "sound",
	} {
		for _, function := range []string{proveRow, rowEvent} {
			r := &rowReader{room: 1, proof: &proof{texts: []string{"a", "b"}, numbers: []string{"c"}, isSound: func(r *rowReader) bool { return r.texts[1] == "y" && r.numbers[0] == 7 }}}
			number, forget := r.register()
			var isLast bool
			if _, err := db.QueryValue(app, &isLast, "SELECT "+function+"("+arguments+")", db.Params{"r": number}); err != nil {
				t.Errorf("%s(%s): %v", function, arguments, err)
			}
			forget()
			got := map[bool]string{true: "sound", false: ""}[r.room == 0]
			if len(r.unsure) > 0 {
				got = "unsure"
			}
			if function == rowEvent {
				want = ""
			}
			if got != want || isLast != (want != "") || want != "" && r.last != 3 {
				t.Errorf("%s(%s): %q, %v at row %d, want %q", function, arguments, got, isLast, r.last, want)
			}
		}
	}
}
