package rendition

import (
	"fmt"
	"os"
	"strconv"

	"doubletap/internal/photo"
)

// The least and the most MiB that an owner may allow: what one photo of a phone takes, and what nobody means.
const (
	leastMemory = 64
	mostMemory  = 1 << 20
)

// Memory returns the bytes that DOUBLETAP_PHOTO_MEMORY, in MiB, allows photos to take, photo.DefaultBudget if it
// is not set, or an error that says what it must be.
func Memory() (int64, error) {
	text := os.Getenv("DOUBLETAP_PHOTO_MEMORY")
	if text == "" {
		return photo.DefaultBudget, nil
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n < leastMemory || n > mostMemory {
		return 0, fmt.Errorf("DOUBLETAP_PHOTO_MEMORY is %q, want MiB from %d to %d", text, leastMemory, mostMemory)
	}
	return n << 20, nil
}
