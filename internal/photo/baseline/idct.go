package baseline

// inverseDCT turns co's eighths x eighths coefficients into samples and clears co. last is the zigzag index of the
// last coefficient that may differ from zero.
//
// For fewer than eight samples this is the inverse transform of that many points over the lowest coefficients, as in
// libjpeg. The result is the same as decoding in full and then leaving out every frequency that the smaller picture
// cannot hold.
func inverseDCT(eighths int, co *coefficients, last int, dst []byte, stride int) {
	switch {
	case last == 0 || eighths == 1:
		fillFlatBlock(eighths, co[0], dst, stride)
		co[0] = 0
		return
	case eighths == 8:
		inverseDCT8(co, dst, stride)
		clear(co[:64])
	case eighths == 4:
		inverseDCT4(co, dst, stride)
		clear(co[:16])
	default:
		inverseDCT2(co, dst, stride)
		clear(co[:4])
	}
}

func fillFlatBlock(eighths int, dc int32, dst []byte, stride int) {
	v := clampSample((dc+4)>>3 + 128)
	for y := range eighths {
		row := dst[y*stride:][:eighths]
		for x := range row {
			row[x] = v
		}
	}
}

func clampSample(v int32) byte { return byte(max(0, min(255, v))) }

func inverseDCT2(co *coefficients, dst []byte, stride int) {
	a, b := co[0]+co[2]+128<<3+4, co[0]-co[2]+128<<3+4
	c, d := co[1]+co[3], co[1]-co[3]
	dst[0], dst[1] = clampSample((a+c)>>3), clampSample((a-c)>>3)
	dst = dst[stride:]
	dst[0], dst[1] = clampSample((b+d)>>3), clampSample((b-d)>>3)
}

// Fixed point: constants have 13 bits after the point, the values that go from the columns to the rows have 2.
const (
	constBits = 13
	passBits  = 2
)

func inverseDCT4(co *coefficients, dst []byte, stride int) {
	const cos1, cos3 = 10703, 4433 // √2·cos(π/8), √2·cos(3π/8)
	const shift = constBits - passBits
	for x := range 4 {
		x0, x1, x2, x3 := co[x], co[4+x], co[8+x], co[12+x]
		e0, e1 := (x0+x2)<<constBits+1<<(shift-1), (x0-x2)<<constBits+1<<(shift-1)
		o0, o1 := x1*cos1+x3*cos3, x1*cos3-x3*cos1
		co[x], co[12+x] = (e0+o0)>>shift, (e0-o0)>>shift
		co[4+x], co[8+x] = (e1+o1)>>shift, (e1-o1)>>shift
	}
	const down = constBits + passBits + 3
	const half = 128<<down + 1<<(down-1)
	for y := range 4 {
		c := co[4*y : 4*y+4 : 4*y+4]
		x0, x1, x2, x3 := c[0], c[1], c[2], c[3]
		e0, e1 := (x0+x2)<<constBits+half, (x0-x2)<<constBits+half
		o0, o1 := x1*cos1+x3*cos3, x1*cos3-x3*cos1
		row := dst[y*stride:][:4]
		row[0], row[3] = clampSample((e0+o0)>>down), clampSample((e0-o0)>>down)
		row[1], row[2] = clampSample((e1+o1)>>down), clampSample((e1-o1)>>down)
	}
}

// inverseDCT8 is the transform of Loeffler, Ligtenberg and Moschytz with twelve
// multiplications, in the form that libjpeg's jidctint gives it.
func inverseDCT8(co *coefficients, dst []byte, stride int) {
	const shift = constBits - passBits
	for x := range 8 {
		x0, x1, x2, x3 := co[x], co[8+x], co[16+x], co[24+x]
		x4, x5, x6, x7 := co[32+x], co[40+x], co[48+x], co[56+x]
		e0, e1, e2, e3 := evenCoefficients(x0<<constBits+1<<(shift-1), x2, x4, x6)
		o0, o1, o2, o3 := oddCoefficients(x1, x3, x5, x7)
		co[x], co[56+x] = (e0+o0)>>shift, (e0-o0)>>shift
		co[8+x], co[48+x] = (e1+o1)>>shift, (e1-o1)>>shift
		co[16+x], co[40+x] = (e2+o2)>>shift, (e2-o2)>>shift
		co[24+x], co[32+x] = (e3+o3)>>shift, (e3-o3)>>shift
	}
	const down = constBits + passBits + 3
	const half = 128<<down + 1<<(down-1)
	for y := range 8 {
		c := co[8*y : 8*y+8 : 8*y+8]
		e0, e1, e2, e3 := evenCoefficients(c[0]<<constBits+half, c[2], c[4], c[6])
		o0, o1, o2, o3 := oddCoefficients(c[1], c[3], c[5], c[7])
		row := dst[y*stride:][:8]
		row[0], row[7] = clampSample((e0+o0)>>down), clampSample((e0-o0)>>down)
		row[1], row[6] = clampSample((e1+o1)>>down), clampSample((e1-o1)>>down)
		row[2], row[5] = clampSample((e2+o2)>>down), clampSample((e2-o2)>>down)
		row[3], row[4] = clampSample((e3+o3)>>down), clampSample((e3-o3)>>down)
	}
}

func evenCoefficients(x0, x2, x4, x6 int32) (e0, e1, e2, e3 int32) {
	z := (x2 + x6) * 4433 // √2·cos(6π/16)
	t2 := z - x6*15137    // √2·(cos(2π/16)+cos(6π/16))
	t3 := z + x2*6270     // √2·(cos(2π/16)-cos(6π/16))
	t0, t1 := x0+x4<<constBits, x0-x4<<constBits
	return t0 + t3, t1 + t2, t1 - t2, t0 - t3
}

// oddCoefficients uses the constants of jidctint, which are named FIX_0_298631336 and so on there.
func oddCoefficients(x1, x3, x5, x7 int32) (o0, o1, o2, o3 int32) {
	z1, z2, z3, z4 := x7+x1, x5+x3, x7+x3, x5+x1
	z5 := (z3 + z4) * 9633
	z1, z2 = -7373*z1, -20995*z2
	z3, z4 = z5-16069*z3, z5-3196*z4
	o3 = x7*2446 + z1 + z3
	o2 = x5*16819 + z2 + z4
	o1 = x3*25172 + z2 + z3
	o0 = x1*12299 + z1 + z4
	return
}
