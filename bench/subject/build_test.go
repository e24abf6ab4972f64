package subject

import "testing"

// A technique that was renamed would be measured as if it were left out.
func TestEachTechniqueCanBeLeftOut(t *testing.T) {
	b := Bench{Folder: "..", Run: t.TempDir()}
	for _, e := range techniques {
		if _, err := b.writeOverlay("../..", e); err != nil {
			t.Error(err)
		}
	}
}
