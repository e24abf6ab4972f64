package hooks_test

import (
	"image/png"
	"os"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/doubletap/doubletap/hooks/hookstest"
	"github.com/doubletap/doubletap/internal/photo/phototest"
)

// BenchmarkPhoto measures how long an upload waits for its answer, how long it then takes until all renditions exist,
// and the processor time of both.
func BenchmarkPhoto(b *testing.B) {
	jpeg := func(w, h int) func(*testing.B) []byte {
		return func(*testing.B) []byte {
			return phototest.PhoneJPEG(phototest.EncodeJPEG(phototest.DrawScene(w, h), 92), 6, phototest.DisplayP3(), false)
		}
	}
	for name, photo := range map[string]func(*testing.B) []byte{"12MP": jpeg(4032, 3024), "48MP": jpeg(8064, 6048), "HEIC12MP": heicPhoto} {
		b.Run(name, func(b *testing.B) {
			upload := &hookstest.Upload{Files: map[string][]byte{"photos": photo(b)}}
			s := hookstest.New(b)
			ada := s.As("ada")
			ada.Post("what is made once for all")
			s.RunJobs()
			var answered, rendered time.Duration
			start := processorTime()
			for b.Loop() {
				asked := time.Now()
				ada.Create("posts", upload)
				answered += time.Since(asked)
				asked = time.Now()
				s.RunJobs()
				rendered += time.Since(asked)
			}
			perUpload := func(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 / float64(b.N) }
			b.ReportMetric(perUpload(answered), "answered-ms")
			b.ReportMetric(perUpload(rendered), "then-ready-ms")
			b.ReportMetric(perUpload(processorTime()-start), "cpu-ms")
		})
	}
}

// BenchmarkPhotoThumb measures how long a request for a finished rendition takes.
func BenchmarkPhotoThumb(b *testing.B) {
	s := hookstest.New(b)
	post, file := sharePhoto(s.As("ada"), phonePhoto(), nil)
	s.RunJobs()
	path := "/api/files/posts/" + post + "/" + file + "?thumb=640x640f"
	var took []time.Duration
	for b.Loop() {
		start := time.Now()
		if status, _, _ := fetchPath(b, s, path); status != 200 {
			b.Fatal(status)
		}
		took = append(took, time.Since(start))
	}
	slices.Sort(took)
	b.ReportMetric(float64(took[len(took)*99/100].Microseconds())/1000, "p99-ms")
}

// heicPhoto returns a photo of 12 MP as Debian's heif-enc makes it.
func heicPhoto(b *testing.B) []byte {
	dir := b.TempDir()
	file, err := os.Create(dir + "/photo.png")
	if err != nil {
		b.Fatal(err)
	}
	defer file.Close()
	fast := png.Encoder{CompressionLevel: png.NoCompression}
	if err := fast.Encode(file, phototest.DrawScene(4032, 3024)); err != nil {
		b.Fatal(err)
	}
	cmd := phototest.RequireProgram(b, "heif-enc", "-q", "50", "-p", "preset=ultrafast", dir+"/photo.png", "-o", dir+"/photo.heic")
	if out, err := cmd.CombinedOutput(); err != nil {
		b.Fatalf("%v\n%s", err, out)
	}
	src, err := os.ReadFile(dir + "/photo.heic")
	if err != nil {
		b.Fatal(err)
	}
	return src
}

// processorTime returns the processor time of this process until now.
func processorTime() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		panic(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
