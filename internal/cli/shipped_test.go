package cli

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"testing"

	"github.com/doubletap/doubletap/internal/testenv"
	_ "github.com/doubletap/doubletap/internal/visibility" // the functions of the rules
	_ "github.com/doubletap/doubletap/migrations"
)

// TestTheStoredSchemaIsThatOfTheMigrations: doctor compares a folder with the stored schema, and makes one only for a
// program with other steps.
func TestTheStoredSchemaIsThatOfTheMigrations(t *testing.T) {
	testenv.SkipSequential(t)
	encode := func(s *shippedCollections) []byte {
		text, err := json.MarshalIndent(s, "", " ")
		if err != nil {
			t.Fatal(err)
		}
		return append(text, '\n')
	}
	built, err := buildShippedSchema()
	if err != nil {
		t.Fatal(err)
	}
	if flag.Lookup("update").Value.String() == "true" {
		if err := os.WriteFile("shipped.json", encode(built), 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	stored, err := shippedSchema()
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(builtSchema, encode(built)) || !bytes.Equal(encode(stored), encode(built)) {
		t.Error("shipped.json is not what the migrations make; rewrite it with: go test ./internal/cli -run StoredSchema -update")
	}
}
