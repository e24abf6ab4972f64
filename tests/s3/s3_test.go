// Package s3 runs the photos' story on an S3 server. It is a module of its own, so that the server does not
// become a dependency of the product.
package s3

import (
	"bytes"
	"fmt"
	"image"
	_ "image/jpeg"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/johannesboyne/gofakes3"
	"github.com/johannesboyne/gofakes3/backend/s3mem"

	"doubletap/hooks/hookstest"
)

func TestPhotosLiveInS3(t *testing.T) {
	backend := s3mem.New()
	bucket := httptest.NewServer(gofakes3.New(backend).Server())
	defer bucket.Close()
	if err := backend.CreateBucket("photos"); err != nil {
		t.Fatal(err)
	}
	s := hookstest.New(t)
	settings := s.App.Settings()
	settings.S3.Enabled, settings.S3.Endpoint, settings.S3.Bucket = true, bucket.URL, "photos"
	settings.S3.Region, settings.S3.AccessKey, settings.S3.Secret, settings.S3.ForcePathStyle = "us-east-1", "key", "secret", true
	if err := s.App.Save(settings); err != nil {
		t.Fatal(err)
	}

	ada := s.As("ada")
	post := ada.Post("hello")
	file := ada.Must(200, "GET", "/api/collections/posts/records/"+post, nil).Body["photos"].([]any)[0].(string)
	s.RunJobs()
	if media := ada.Must(200, "GET", "/api/collections/posts/records/"+post, nil).Body["media"]; !strings.Contains(fmt.Sprint(media), "hash") {
		t.Errorf("media is %v", media)
	}
	for _, size := range []string{"", "?thumb=640x640f", "?thumb=100x100"} {
		response, err := http.Get(s.URL + "/api/files/posts/" + post + "/" + file + size)
		if err != nil {
			t.Fatal(err)
		}
		body, _ := io.ReadAll(response.Body)
		response.Body.Close()
		if _, kind, err := image.DecodeConfig(bytes.NewReader(body)); response.StatusCode != 200 || err != nil || kind != "jpeg" {
			t.Errorf("%s: %d %v", size, response.StatusCode, err)
		}
	}
	keys := func() int {
		list, err := backend.ListBucket("photos", &gofakes3.Prefix{}, gofakes3.ListBucketPage{})
		if err != nil {
			t.Fatal(err)
		}
		return len(list.Contents)
	}
	if n := keys(); n < 8 {
		t.Errorf("%d keys in the bucket, want the photo, six renditions and their meta", n)
	}
	ada.Delete("posts", post)
	for tick := time.NewTicker(20 * time.Millisecond); keys() > 0; <-tick.C { // PocketBase deletes them after its answer
		if t.Context().Err() != nil {
			t.Fatalf("%d keys are left", keys())
		}
	}
}
