package heif_test

import (
	"testing"

	"github.com/doubletap/doubletap/internal/photo/heif"
	. "github.com/doubletap/doubletap/internal/photo/phototest"
)

// FuzzOpen reads damaged files of every kind: whatever they hold, the description of the picture is consistent.
func FuzzOpen(f *testing.F) {
	tile := CodedItem(Fixture("phone.heic"), nil)
	turned := tile
	turned.Properties = append(turned.Properties[:len(turned.Properties):len(turned.Properties)], CropProperty(61, 47, 9, -4), RotationProperty(1), MirrorProperty(1), ColorsProperty(1, 13, 1, false), AlphaProperty())
	turned.References = []HEIFReference{{Kind: "auxl", To: []int{1}}}
	f.Add(Fixture("phone.heic"))
	f.Add(Fixture("tiles.heic"))
	f.Add(HEIF{Items: []HEIFItem{GridItem(2, 2, 150, 201, 2, 2, 2, 2), tile}}.Encode())
	f.Add(HEIF{Items: []HEIFItem{OverlayItem(128, 96, [4]uint16{1, 2, 3, 4}, []int{-5, 7, 32, 48}, 2, 3), tile, turned}}.Encode())
	f.Fuzz(func(t *testing.T, src []byte) {
		heif.IsHEIF(src)
		p, err := heif.ReadPrimary(src, 100e6)
		if err != nil {
			return
		}
		checkPicture(t, p)
	})
}

func checkPicture(t *testing.T, p *heif.Picture) {
	t.Helper()
	w, h := p.Canvas.X, p.Canvas.Y
	for _, c := range p.Changes {
		switch {
		case c.Crop.Empty() && (c.Orientation < 2 || c.Orientation > 8):
			t.Fatalf("nothing changes: %+v", c)
		case c.Orientation > 4:
			w, h = h, w
		case !c.Crop.Empty():
			if c.Crop.Min.X < 0 || c.Crop.Min.Y < 0 || c.Crop.Max.X > w || c.Crop.Max.Y > h {
				t.Fatalf("%v of %d x %d", c.Crop, w, h)
			}
			w, h = c.Crop.Dx(), c.Crop.Dy()
		}
	}
	if w < 1 || h < 1 || w != p.Width || h != p.Height || p.CodedSamples > 100e6 || (p.Coded == nil) == (len(p.Parts) == 0) {
		t.Fatalf("%d x %d: %+v", w, h, p)
	}
	for _, part := range p.Parts {
		checkPicture(t, part.Picture)
	}
	if p.Alpha != nil {
		checkPicture(t, p.Alpha)
	}
}

// TestSequence reads sizes and colours behind everything that x265 can write before them.
func TestSequence(t *testing.T) {
	for _, matrix := range []int{0, 1, 2, 9} {
		for _, full := range []bool{false, true} {
			for _, size := range [][2]int{{2, 2}, {64, 30}, {512, 400}} {
				it := CodedItem(Fixture("tiles.heic"), func(b *ParameterSet) { b.SetColors(matrix, full); b.SetWindow(size[0], size[1]) })
				// a picture in 4:2:0 may have no other matrix
				it.Properties = append(it.Properties, ColorsProperty(1, 13, 6, true))
				p, err := heif.ReadPrimary(HEIF{Items: []HEIFItem{it}}.Encode(), 100e6)
				if err != nil {
					t.Fatal(err)
				}
				want := heif.Sequence{Width: size[0], Height: size[1], SubX: 2, SubY: 2, Depth: 8, Color: heif.Color{Specified: true, Primaries: 2, Transfer: 2, Matrix: matrix, FullRange: full}}
				if p.Coded.Sequence != want {
					t.Errorf("got %+v, want %+v", p.Coded.Sequence, want)
				}
			}
		}
	}
}
