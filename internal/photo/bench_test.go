package photo

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"os/exec"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/disintegration/imaging"
	"github.com/pocketbase/pocketbase/tools/filesystem"

	"github.com/doubletap/doubletap/internal/photo/door"
	"github.com/doubletap/doubletap/internal/photo/phototest"
)

// phonePhoto returns the photo of 12 or 48 MP that our figures are measured with.
var phonePhoto = func() func(mp int) []byte {
	once := map[int]func() []byte{}
	for mp, size := range map[int][2]int{12: {4032, 3024}, 48: {8064, 6048}} {
		once[mp] = sync.OnceValue(func() []byte {
			return phototest.PhoneJPEG(phototest.EncodeJPEG(phototest.DrawScene(size[0], size[1]), 92), 6, phototest.DisplayP3(), false)
		})
	}
	return func(mp int) []byte { return once[mp]() }
}()

// processCPUTime returns the processor time that this process has taken so far.
func processCPUTime() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		panic(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// renderWithPocketBase makes the renditions of src as PocketBase does on request.
func renderWithPocketBase(tb testing.TB, src []byte, sizes []Size) {
	tb.Helper()
	fsys, err := filesystem.NewLocal(tb.TempDir())
	if err != nil {
		tb.Fatal(err)
	}
	defer fsys.Close()
	if err := fsys.Upload(src, "photo.jpg"); err != nil {
		tb.Fatal(err)
	}
	for _, s := range sizes {
		if err := fsys.CreateThumb("photo.jpg", "thumbs/"+s.ThumbName(), s.ThumbName()); err != nil {
			tb.Fatal(err)
		}
	}
}

// timeVipsthumbnail returns how long Debian's vipsthumbnail takes on one core for the same sizes, or 0 if it is not
// installed.
func timeVipsthumbnail(tb testing.TB, src []byte, sizes []Size) (took time.Duration) {
	tb.Helper()
	path, err := exec.LookPath("vipsthumbnail")
	if err != nil {
		return 0
	}
	dir := tb.TempDir()
	if err := os.WriteFile(dir+"/photo.jpg", src, 0o600); err != nil {
		tb.Fatal(err)
	}
	for _, s := range sizes {
		args := []string{dir + "/photo.jpg", "-s", fmt.Sprintf("%dx%d", s.Side, s.Side), "-o", dir + "/" + s.ThumbName() + ".jpg[Q=82]"}
		if s.Crop {
			args = append(args, "-m", "centre")
		}
		cmd := exec.Command(path, args...)
		cmd.Env = append(os.Environ(), "VIPS_CONCURRENCY=1")
		if out, err := cmd.CombinedOutput(); err != nil {
			tb.Fatalf("%v\n%s", err, out)
		}
		took += cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
	}
	return took
}

// renderWithImaging makes the renditions of src with imaging alone: src is decoded once, and each size is made from
// the one before.
func renderWithImaging(tb testing.TB, src []byte, sizes []Size) {
	tb.Helper()
	m, err := imaging.Decode(bytes.NewReader(src), imaging.AutoOrientation(true))
	if err != nil {
		tb.Fatal(err)
	}
	for _, s := range sizes {
		out := imaging.Fit(m, s.Side, s.Side, imaging.Lanczos)
		if s.Crop {
			out = imaging.Fill(m, s.Side, s.Side, imaging.Center, imaging.Lanczos)
		} else if s.Side > 320 { // the crop needs more than the smaller sizes have
			m = out
		}
		if err := imaging.Encode(io.Discard, out, imaging.JPEG, imaging.JPEGQuality(s.jpegQuality())); err != nil {
			tb.Fatal(err)
		}
	}
}

// BenchmarkRender12MP prints what all renditions of a photo cost and, measured in the same run, what five of the same
// six sizes cost with PocketBase's CreateThumb, imaging and vipsthumbnail.
func BenchmarkRender12MP(b *testing.B) { benchmarkRender(b, 12) }

func BenchmarkRender48MP(b *testing.B) { benchmarkRender(b, 48) }

func benchmarkRender(b *testing.B, mp int) {
	src := phonePhoto(mp)
	five := []Size{{Side: 1920}, {Side: 1080}, {Side: 640}, {Side: 320}, {Side: 320, Crop: true}}
	start := processCPUTime()
	renderWithPocketBase(b, src, five)
	theirs := processCPUTime() - start
	start = processCPUTime()
	renderWithImaging(b, src, five)
	itself := processCPUTime() - start
	libvips := timeVipsthumbnail(b, src, five)
	b.ReportAllocs()
	start = processCPUTime()
	n := 0
	for b.Loop() {
		if _, err := (Renderer{}).Render(b.Context(), src); err != nil {
			b.Fatal(err)
		}
		n++
	}
	ours := (processCPUTime() - start) / time.Duration(n)
	b.ReportMetric(float64(ours.Microseconds())/1000, "cpu-ms/op")
	b.ReportMetric(float64(theirs.Microseconds())/1000, "stock-cpu-ms/op")
	b.ReportMetric(float64(ours)/float64(theirs), "of-stock")
	b.ReportMetric(float64(itself.Microseconds())/1000, "imaging-cpu-ms/op")
	if libvips > 0 {
		b.ReportMetric(float64(ours)/float64(libvips), "of-vips")
	}
}

// BenchmarkSteps measures the steps of Render one by one.
func BenchmarkSteps(b *testing.B) {
	src := phonePhoto(12)
	var r Renderer
	info, err := door.Inspect(src, door.Standard)
	if err != nil {
		b.Fatal(err)
	}
	base, err := r.decodePhoto(b.Context(), src, info, r.scaleInEighths(info))
	if err != nil {
		b.Fatal(err)
	}
	b.Run("decode", func(b *testing.B) {
		for b.Loop() {
			p, _ := r.decodePhoto(b.Context(), src, info, r.scaleInEighths(info))
			p.Release()
		}
	})
	b.Run("resize", func(b *testing.B) {
		for b.Loop() {
			c := renditionCascade{base: base, orientation: 6}
			for _, s := range Sizes {
				c.makeSize(s, info.Height, info.Width)
			}
			c.freePictures()
		}
	})
	c := renditionCascade{base: base, orientation: 6}
	b.Run("encode", func(b *testing.B) {
		for _, s := range Sizes {
			c.makeSize(s, info.Height, info.Width)
		}
		for b.Loop() {
			for _, p := range append(c.wholes, c.crops...) {
				if _, err := encodeJPEG(p, 82, ""); err != nil {
					b.Fatal(err)
				}
			}
		}
	})
}
