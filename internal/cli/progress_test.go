package cli

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func TestProgress(t *testing.T) {
	for _, test := range []struct {
		name string
		live bool
		want string
	}{
		{"in a log", false, "seed: 50 of 100 (50%) after 5s\nseed: 100 of 100 (100%) after 10s\n"},
		{"on a terminal", true, "\r\x1b[Kseed: 10 of 100 (10%) after 1s\r\x1b[Kseed: 20 of 100 (20%) after 2s\r\x1b[Kseed: 30 of 100 (30%) after 3s" +
			"\r\x1b[Kseed: 40 of 100 (40%) after 4s\r\x1b[Kseed: 50 of 100 (50%) after 5s\r\x1b[Kseed: 60 of 100 (60%) after 6s" +
			"\r\x1b[Kseed: 70 of 100 (70%) after 7s\r\x1b[Kseed: 80 of 100 (80%) after 8s\r\x1b[Kseed: 90 of 100 (90%) after 9s" +
			"\r\x1b[Kseed: 100 of 100 (100%) after 10s\n"},
	} {
		synctest.Test(t, func(t *testing.T) {
			var out strings.Builder
			p := newProgress("seed")
			p.out, p.isTerminal = &out, test.live
			for i := range 10 {
				<-time.After(time.Second)
				p.reportCount(10*(i+1), 100)
			}
			if out.String() != test.want {
				t.Errorf("%s: %q, want %q", test.name, out.String(), test.want)
			}
		})
	}
}
