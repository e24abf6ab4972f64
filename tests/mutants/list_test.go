package main

import "testing"

// TestTheCodeHasWhatIsMutated keeps the lists in step with the code; make mutants, which is no part of every check,
// begins with the same.
func TestTheCodeHasWhatIsMutated(t *testing.T) {
	if testing.Short() {
		t.Skip("a change of code need not wait for its mutants")
	}
	all, err := readLists(".")
	if err != nil {
		t.Fatal(err)
	}
	if len(all) < 70 {
		t.Errorf("only %d mutants were read", len(all))
	}
	for _, m := range all {
		if _, err := m.mutate("../.."); err != nil {
			t.Error(err)
		}
	}
}

func TestAListSaysWhatIsWrongWithIt(t *testing.T) {
	for name, paragraph := range map[string]string{
		"no test":   "# why\nfile.go\n- a\n+ b",
		"no reason": "file.go\n- a\n+ b\ntest ./x",
		"no change": "# why\nfile.go\n- a\n+ a\ntest ./x",
		"no text":   "# why\nfile.go\n+ a\ntest ./x",
		"no file":   "# why\n- a\n+ b\ntest ./x",
	} {
		if m, err := parseMutant(paragraph); err == nil {
			t.Errorf("%s: read as %+v", name, m)
		}
	}
	m, err := parseMutant("# why\nfile.go\n- \tif a {\n- \t}\ntest KEY=value ./x -run Y")
	if err != nil || m.text != "\tif a {\n\t}" || m.with != "" || m.env[0] != "KEY=value" || len(m.test) != 3 {
		t.Errorf("read as %+v, error %v", m, err)
	}
	m.file = "list.go"
	if _, err := m.mutate("."); err == nil {
		t.Error("a text that is nowhere is mutated")
	}
}
