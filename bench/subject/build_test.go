package subject

import "testing"

// If the code of a technique is renamed, its Edit must be changed too.
func TestEachTechniqueCanBeLeftOut(t *testing.T) {
	b := Bench{Folder: "..", Run: t.TempDir()}
	for _, e := range techniques {
		if _, err := b.writeOverlay("../..", e); err != nil {
			t.Error(err)
		}
	}
}
