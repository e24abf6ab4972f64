package baseline

// fastBits is how many bits one table lookup covers. With 10, nearly all codes of a phone's photo and most of their
// values are found at once; 9 and 11 are a twentieth slower at 4/8.
const fastBits = 10

// huffmanTable decodes Huffman codes together with the bits of the value that follows.
type huffmanTable struct {
	built bool
	// fastEntries holds, for the next fastBits bits:
	//	bits 0–5    how many bits code and value take
	//	bits 6–9    how many of them are the value's, 0 if it is in bits 16–31
	//	bits 10–14  how many zeros stand before the value, or endOfBlock
	//	bits 16–31  the value
	// It is 0 where the code is longer.
	fastEntries [1 << fastBits]int32
	// for codes of length n: the first value past them, left-aligned to 16
	// bits, and what to add to a code to find its symbol
	codeEnds [18]int32
	offset   [17]int32
	symbols  [256]byte
}

const endOfBlock = 16

// buildCodes makes the table from the number of codes of each length, 1 to 16, and their symbols. It reports whether
// the numbers are possible.
func (t *huffmanTable) buildCodes(counts [16]byte, symbols []byte) bool {
	*t = huffmanTable{built: true}
	copy(t.symbols[:], symbols)
	code, at := int32(0), int32(0)
	for i, count := range counts {
		n := i + 1
		t.offset[n] = at - code
		for range count {
			if code >= 1<<n {
				return false
			}
			if n <= fastBits {
				t.enterCode(code, n, symbols[at])
			}
			code++
			at++
		}
		t.codeEnds[n] = code << (16 - n)
		code <<= 1
	}
	t.codeEnds[17] = 1 << 16
	return true
}

// enterCode fills all of fastEntries that begin with code, which is n bits long.
func (t *huffmanTable) enterCode(code int32, n int, symbol byte) {
	free := fastBits - n
	for i := range int32(1) << free {
		t.fastEntries[code<<free|i] = tableEntry(symbol, n, i, free)
	}
}

// tableEntry returns the entry of a symbol whose code is n bits long and followed by bits, of which free are known.
func tableEntry(symbol byte, n int, bits int32, free int) int32 {
	run, size := int32(symbol>>4), int(symbol&15)
	if size == 0 && run < 15 { // run 15 skips sixteen, as a value of zero does
		run = endOfBlock
	}
	e := int32(n+size) | run<<10
	if size > free {
		return e | int32(size)<<6
	}
	return e | extendValue(bits>>(free-size), size)<<16
}

// extendValue returns the signed value that JPEG stores in size bits.
func extendValue(bits int32, size int) int32 {
	if size > 0 && bits < 1<<(size-1) {
		bits += -1<<size + 1
	}
	return bits
}
