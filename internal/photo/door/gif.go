package door

import (
	"bytes"
	"encoding/binary"
)

// gifBlocks reads a GIF's blocks one after the other.
type gifBlocks struct {
	src   []byte
	at    int
	kind  byte // ',' for a picture, '!' for an extension, ';' for the end
	label byte // of an extension
	start int
	body  int // where the sub-blocks begin
}

const (
	gifPicture, gifExtension, gifEnd        = ',', '!', ';'
	gifControl, gifComment, gifText, gifApp = 0xF9, 0xFE, 0x01, 0xFF
)

// openGIFBlocks returns the blocks of src, which begin after the screen's descriptor and palette.
func openGIFBlocks(src []byte) (gifBlocks, error) {
	if len(src) < 13 {
		return gifBlocks{}, ErrShort
	}
	b := gifBlocks{src: src, at: 13 + paletteSize(src[10])}
	if b.at > len(src) {
		return b, ErrShort
	}
	return b, nil
}

func paletteSize(flags byte) int {
	if flags&0x80 == 0 {
		return 0
	}
	return 3 << (flags&7 + 1)
}

func (b *gifBlocks) nextBlock() error {
	if b.at >= len(b.src) {
		return ErrShort
	}
	b.start, b.kind = b.at, b.src[b.at]
	switch b.kind {
	case gifEnd:
		b.at++
		return nil
	case gifExtension:
		if b.at+2 > len(b.src) {
			return ErrShort
		}
		b.label = b.src[b.at+1]
		b.body = b.at + 2
	case gifPicture:
		if b.at+10 > len(b.src) {
			return ErrShort
		}
		b.body = b.at + 10 + paletteSize(b.src[b.at+9]) + 1 // one byte says how many bits a code has
	default:
		return brokenBecause("a part of it is of no known kind")
	}
	for b.at = b.body; ; {
		if b.at >= len(b.src) {
			return ErrShort
		}
		n := int(b.src[b.at])
		b.at += 1 + n
		if n == 0 {
			return nil
		}
	}
}

func inspectGIF(src []byte, limits Limits) (Info, error) {
	info := Info{Orientation: 1}
	b, err := openGIFBlocks(src)
	if err != nil {
		return info, err
	}
	info.Width, info.Height = int(binary.LittleEndian.Uint16(src[6:])), int(binary.LittleEndian.Uint16(src[8:]))
	info.Decoded = 2 * int64(info.Width) * int64(info.Height)
	if err := limits.checkInfo(info); err != nil {
		return info, err
	}
	for {
		if err := b.nextBlock(); err != nil {
			return info, err
		}
		if b.kind == gifEnd {
			break
		}
		if b.kind != gifPicture {
			continue
		}
		p := src[b.start+1:]
		x, y := int(binary.LittleEndian.Uint16(p)), int(binary.LittleEndian.Uint16(p[2:]))
		w, h := int(binary.LittleEndian.Uint16(p[4:])), int(binary.LittleEndian.Uint16(p[6:]))
		if x+w > info.Width || y+h > info.Height {
			return info, brokenBecause("its picture is larger than its canvas")
		}
		if bits := src[b.body-1]; w == 0 || h == 0 || paletteSize(src[10])+paletteSize(p[8]) == 0 || bits < 2 || bits > 8 {
			return info, brokenBecause("a part of it has the wrong size")
		}
		info.Frames++
		if err := limits.checkInfo(info); err != nil {
			return info, err
		}
	}
	if info.Frames == 0 {
		return info, brokenBecause("it has no picture")
	}
	return info, nil
}

// stripGIF returns src with only its pictures, their timing, and how often they are repeated.
func stripGIF(src []byte) ([]byte, error) {
	b, err := openGIFBlocks(src)
	if err != nil {
		return nil, err
	}
	splice := fileSplice{src: src}
	splice.addRange(0, b.at)
	for b.kind != gifEnd {
		if err := b.nextBlock(); err != nil {
			return nil, err
		}
		if b.kind != gifExtension || b.label == gifControl && b.at-b.start == 8 && src[b.body] == 4 || b.label == gifApp && isRepeatBlock(src[b.body:b.at]) {
			splice.addRange(b.start, b.at)
		}
	}
	return splice.joinPieces(), nil
}

// isRepeatBlock reports whether an application's block says how often to repeat, and nothing else.
func isRepeatBlock(data []byte) bool {
	return len(data) == 17 && data[12] == 3 && (bytes.HasPrefix(data, []byte("\x0bNETSCAPE2.0")) || bytes.HasPrefix(data, []byte("\x0bANIMEXTS1.0")))
}
