package rendition

import (
	"fmt"
	"os"
	"strconv"

	"github.com/doubletap/doubletap/internal/photo"
)

// The least and the most MiB that an owner may set: what one photo of a phone takes, and more than anybody can mean.
const (
	minMemoryMiB = 64
	maxMemoryMiB = 1 << 20
)

// MemoryFromEnv returns how many bytes DOUBLETAP_PHOTO_MEMORY, which is in MiB, allows photos to take:
// photo.DefaultBudget if it is not set, an error if it is not a number within bounds.
func MemoryFromEnv() (int64, error) {
	text := os.Getenv("DOUBLETAP_PHOTO_MEMORY")
	if text == "" {
		return photo.DefaultBudget, nil
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n < minMemoryMiB || n > maxMemoryMiB {
		return 0, fmt.Errorf("DOUBLETAP_PHOTO_MEMORY is %q, want MiB from %d to %d", text, minMemoryMiB, maxMemoryMiB)
	}
	return n << 20, nil
}
