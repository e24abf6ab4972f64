package demo

import (
	"bytes"
	"image/color"
	"image/jpeg"
	"slices"
	"strings"
	"testing"
)

// TestDemoFacesDiffer: the colours behind the faces differ so much that people can be told apart at a glance.
func TestDemoFacesDiffer(t *testing.T) {
	behind := map[string]color.RGBA{}
	for handle, p := range newDemoCast().people {
		face, err := jpeg.Decode(bytes.NewReader(lookOf(p.avatarSeed).encodeJPEG()))
		if err != nil {
			t.Fatal(err)
		}
		r, g, b, _ := face.At(10, 160).RGBA()
		behind[handle] = color.RGBA{uint8(r >> 8), uint8(g >> 8), uint8(b >> 8), 255}
	}
	apart := func(a, b uint8) int { return max(int(a)-int(b), int(b)-int(a)) }
	for one, a := range behind {
		for other, b := range behind {
			if d := apart(a.R, b.R) + apart(a.G, b.G) + apart(a.B, b.B); one < other && d < 90 {
				t.Errorf("%s and %s look alike: %v and %v", one, other, a, b)
			}
		}
	}
}

// TestDemoLeavesAPhotoToLike: the README begins with bob's like of ada's newest photo, which is the newest in his
// feed.
func TestDemoLeavesAPhotoToLike(t *testing.T) {
	followed := []string{}
	for _, f := range castFollows {
		if f.who == "bob" {
			followed = strings.Fields(f.whom)
		}
	}
	newest := -1
	for i, p := range castPosts {
		if slices.Contains(followed, p.who) && (newest < 0 || p.ago < castPosts[newest].ago) {
			newest = i
		}
	}
	if p := castPosts[newest]; p.who != "ada" || strings.Contains(p.likes, "bob") {
		t.Errorf("bob's feed begins with %s's photo, liked by %s", p.who, p.likes)
	}
}
