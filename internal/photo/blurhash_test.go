package photo

import "testing"

// TestBlurhash expects the values of github.com/bbrks/go-blurhash v1.1.1.
func TestBlurhash(t *testing.T) {
	for _, c := range []struct {
		w, h int
		want string
	}{
		{32, 24, "LxH2Wl2xw#X9mMWZjuf9g3fkfQfk"},
		{24, 32, "TeCt|P7Pw#mha*judie=fQp@bbju"},
		{1, 1, "L~01hbg9g9g9g9g9g9g9g9g9g9g9"},
	} {
		var pixels [][3]uint8
		for y := range c.h {
			for x := range c.w {
				pixels = append(pixels, [3]uint8{uint8(x * 8), uint8(y*8 + 40), uint8(255 - x*4 - y*4)})
			}
		}
		if got := encodeBlurhash(pixels, c.w, c.h); got != c.want {
			t.Errorf("%dx%d: got %s, want %s", c.w, c.h, got, c.want)
		}
	}
}

func TestCommonColour(t *testing.T) {
	pixels := [][3]uint8{{250, 10, 10}, {252, 12, 12}, {0, 0, 255}, {254, 14, 14}, {0, 255, 0}}
	if got := mostCommonColor(pixels); got != "#fc0c0c" {
		t.Errorf("got %s, want #fc0c0c", got)
	}
}
