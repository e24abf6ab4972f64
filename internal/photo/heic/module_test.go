package heic

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// TestTheModuleIsThePublishedOne compares our copy with the module that it comes from.
func TestTheModuleIsThePublishedOne(t *testing.T) {
	var module struct{ Dir, Error string }
	download := exec.Command("go", "mod", "download", "-json", "github.com/gen2brain/heic@v0.4.5")
	download.Dir = t.TempDir() // outside our module, whose go.mod does not name it
	answer, err := download.Output()
	if err == nil {
		err = json.Unmarshal(answer, &module)
	}
	if err != nil {
		t.Fatalf("download the module: %v %s", err, answer)
	}
	published, err := os.ReadFile(filepath.Join(module.Dir, "lib", "heif.wasm.gz"))
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(published, compressed) {
		t.Errorf("heif.wasm.gz has %d bytes, and differs from the published one of %d", len(compressed), len(published))
	}
}
