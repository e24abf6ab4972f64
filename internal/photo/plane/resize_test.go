package plane

import (
	"fmt"
	"image"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/doubletap/doubletap/internal/photo/phototest"
)

// softPicture makes a picture of soft shapes and some grain.
func softPicture(w, h, subX, subY int) *Picture {
	p := New(w, h, subX, subY, false)
	rnd := rand.New(rand.NewPCG(1, 2))
	for i, pl := range []Plane{p.Y, p.Cb, p.Cr} {
		for y := range pl.H {
			for x := range pl.W {
				v := 128 + 70*math.Sin(float64(x)/float64(7+i))*math.Cos(float64(y)/9) + 40*math.Sin(float64(x*y)/4000) + rnd.Float64()*20
				pl.Pix[y*pl.Stride+x] = byte(min(max(v, 0), 255))
			}
		}
	}
	return p
}

// lanczosPSNR returns how alike pl is to src resized by imaging, in dB.
func lanczosPSNR(pl, src Plane) float64 {
	want := phototest.ResizeLanczos(&image.Gray{Pix: src.Pix, Stride: src.Stride, Rect: image.Rect(0, 0, src.W, src.H)}, pl.W, pl.H)
	return phototest.PSNR(pl.W*pl.H, want, func(i int) float64 { return float64(pl.Pix[i/pl.W*pl.Stride+i%pl.W]) })
}

func TestResizeIsLanczos(t *testing.T) {
	for _, c := range []struct{ w, h, toW, toH int }{
		{400, 300, 381, 286}, {400, 300, 200, 150}, {401, 299, 107, 80}, {333, 1000, 32, 96}, {9, 7, 5, 3}, {640, 480, 32, 24}, {64, 64, 64, 64},
	} {
		p := softPicture(c.w, c.h, 2, 2)
		got := Resize(p, c.toW, c.toH, 1)
		if db := lanczosPSNR(got.Y, p.Y); db < 53 {
			t.Errorf("%v: Y is %.1f dB from imaging's, want 53", c, db)
		}
		want := 53.0
		if (c.w|c.h|c.toW|c.toH)%2 == 1 {
			want = 36 // imaging takes the last half sample for a whole one
		}
		if db := lanczosPSNR(got.Cb, p.Cb); db < want {
			t.Errorf("%v: Cb is %.1f dB from imaging's, want %v", c, db, want)
		}
	}
}

func TestResizeKeepsFlatAreas(t *testing.T) {
	for _, v := range []byte{0, 1, 127, 254, 255} {
		p := New(301, 207, 1, 1, false)
		for _, pl := range []Plane{p.Y, p.Cb, p.Cr} {
			for i := range pl.Pix {
				pl.Pix[i] = v
			}
		}
		out := Resize(p, 97, 66, 3)
		for i, pl := range []Plane{out.Y, out.Cb, out.Cr} {
			for y := range pl.H {
				for x := range pl.W {
					if got := pl.Pix[y*pl.Stride+x]; got != v {
						t.Fatalf("plane %d at %d,%d: got %d, want %d", i, x, y, got, v)
					}
				}
			}
		}
	}
}

func TestOrientTurnsAsEXIFSays(t *testing.T) {
	// the picture
	//	1 2 3
	//	4 5 6
	// as each orientation shows it
	want := map[int]string{
		1: "123/456", 2: "321/654", 3: "654/321", 4: "456/123",
		5: "14/25/36", 6: "41/52/63", 7: "63/52/41", 8: "36/25/14",
	}
	for o, w := range want {
		p := New(3, 2, 2, 2, true)
		copy(p.Y.Pix, []byte{1, 2, 3, 4, 5, 6})
		p = Orient(p, o)
		got := ""
		for y := range p.H {
			if y > 0 {
				got += "/"
			}
			for x := range p.W {
				got += fmt.Sprint(p.Y.Pix[y*p.Y.Stride+x])
			}
		}
		if got != w {
			t.Errorf("orientation %d: got %s, want %s", o, got, w)
		}
	}
}

// TestOrientAfterResize checks our shortcut: turning the small picture gives the same as resizing the turned large
// one, colours included.
func TestOrientAfterResize(t *testing.T) {
	for o := 1; o <= 8; o++ {
		for _, size := range [][2]int{{100, 75}, {101, 75}, {100, 77}, {99, 73}} {
			p := softPicture(400, 300, 1, 1)
			short := Orient(Resize(p, size[0], size[1], o), o)
			turned := Orient(p, o)
			w, h := size[0], size[1]
			if o >= 5 {
				w, h = h, w
			}
			long := Resize(turned, w, h, 1)
			for i, pair := range [][2]Plane{{short.Y, long.Y}, {short.Cb, long.Cb}, {short.Cr, long.Cr}} {
				worst := 0
				for y := range pair[0].H {
					for x := range pair[0].W {
						d := int(pair[0].Pix[y*pair[0].Stride+x]) - int(pair[1].Pix[y*pair[1].Stride+x])
						worst = max(worst, d, -d)
					}
				}
				if worst > 1 {
					t.Errorf("orientation %d, %v, plane %d: %d levels apart, want 1 at most", o, size, i, worst)
				}
			}
		}
	}
}

func FuzzResize(f *testing.F) {
	f.Add(uint16(40), uint16(30), uint16(13), uint16(10), uint8(2), uint8(2), 0.0, 0.0, uint8(6))
	f.Add(uint16(1), uint16(1), uint16(1), uint16(1), uint8(4), uint8(2), 0.3, 0.9, uint8(7))
	f.Fuzz(func(t *testing.T, w, h, toW, toH uint16, subX, subY uint8, x, y float64, o uint8) {
		if w == 0 || h == 0 || toW == 0 || toH == 0 || int(w)*int(h) > 1<<18 || int(toW)*int(toH) > 1<<18 || !(x >= 0 && x < 1 && y >= 0 && y < 1) {
			return
		}
		p := New(int(w), int(h), int(subX%4)+1, int(subY%4)+1, false)
		p.ExactW, p.ExactH = p.ExactW-x, p.ExactH-y // as after a scaled decode
		out := Orient(Resize(p, int(toW), int(toH), int(o%10)), int(o%10))
		out.Release()
		p.Release()
	})
}

func BenchmarkResize(b *testing.B) {
	for _, c := range [][4]int{{2016, 1512, 1920, 1440}, {1920, 1440, 1080, 810}, {1080, 810, 640, 480}, {640, 480, 320, 240}} {
		b.Run(fmt.Sprintf("%dto%d", c[0], c[2]), func(b *testing.B) {
			p := softPicture(c[0], c[1], 2, 2)
			for b.Loop() {
				Resize(p, c[2], c[3], 1).Release()
			}
		})
	}
}

func BenchmarkOrient(b *testing.B) {
	for _, o := range []int{3, 6} {
		b.Run(fmt.Sprint(o), func(b *testing.B) {
			p := softPicture(1920, 1440, 2, 2)
			for b.Loop() {
				p = Orient(p, o)
			}
		})
	}
}
