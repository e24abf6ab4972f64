// Package s3 tells the photos' stories again with an S3 server for a storage. It is a module of its own, so that the
// server does not become a dependency of the product.
package s3

import (
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/johannesboyne/gofakes3"
	"github.com/johannesboyne/gofakes3/backend/s3mem"
)

func TestPhotosLiveInS3(t *testing.T) {
	backend := s3mem.New()
	bucket := httptest.NewServer(gofakes3.New(backend, gofakes3.WithAutoBucket(true)).Server())
	defer bucket.Close()

	stories := exec.CommandContext(t.Context(), "go", "test", "-count=1", "-run=^TestPhoto", "./hooks")
	stories.Dir = "../.."
	stories.Env = append(os.Environ(), "DOUBLETAP_TEST_S3="+bucket.URL)
	out, err := stories.CombinedOutput()
	if err != nil || !strings.Contains(string(out), "ok ") || strings.Contains(string(out), "no tests to run") {
		t.Errorf("%v\n%s", err, out)
	}
	if buckets, err := backend.ListBuckets(); err != nil || len(buckets) < 10 {
		t.Errorf("%d services stored in S3, %v", len(buckets), err)
	}
}
