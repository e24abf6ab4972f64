package heif_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/doubletap/doubletap/internal/photo/heif"
	. "github.com/doubletap/doubletap/internal/photo/phototest"
)

// What a small file repeats, or lets many items share, is read only within limits.
func TestADirectoryIsNotReadWithoutEnd(t *testing.T) {
	tile := CodedItem(Fixture("phone.heic"), nil)
	set := tile.Properties[0][8+23:] // the configuration's arrays
	begin := strings.Index(set, "\xa1\x00\x01") + 3
	size := int(set[begin])<<8 | int(set[begin+1])
	long := set[begin+2:][:size] + strings.Repeat("\x55", 60_000)
	short := strings.Replace(tile.Properties[0][8:], set[begin:][:2+size], string([]byte{byte(len(long) >> 8), byte(len(long))})+long, 1)
	shares := func(items int) []byte {
		one := HEIFItem{Kind: "hvc1", Data: tile.Data, Properties: []string{HEIFBox("hvcC", short)}}
		all := HEIF{Items: []HEIFItem{OverlayItem(8, 8, [4]uint16{}, make([]int, 2*items))}}
		for i := range items {
			all.Items = append(all.Items, one)
			all.Items[0].References[0].To = append(all.Items[0].References[0].To, i+2)
		}
		return all.Encode()
	}
	if _, err := heif.ReadPrimary(shares(10), 100e6); err != nil {
		t.Errorf("10 large sets of parameters: %v", err)
	}
	for name, src := range map[string][]byte{
		"4.2 MB of parameters":             shares(70),
		"boxes of nothing, like thousands": []byte(HEIFBox("ftyp", "heic\x00\x00\x00\x00heic") + strings.Repeat(HEIFBox("free"), 2000)),
	} {
		if _, err := heif.ReadPrimary(src, 100e6); !errors.Is(err, heif.ErrDirectory) {
			t.Errorf("%s: %v, want %v", name, err, heif.ErrDirectory)
		}
	}
}
