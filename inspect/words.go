package inspect

import (
	"fmt"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// Count formats a number of things for people: "1 layer", "2 layers".
func Count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

// Bytes formats a size for people, in powers of 1000: "999 B", "1.2 kB".
func Bytes(n int64) string {
	if n < 1000 {
		return fmt.Sprintf("%d B", n)
	}
	f, unit := float64(n)/1000, 0
	for ; f >= 1000; unit++ {
		f /= 1000
	}
	return fmt.Sprintf("%.1f %cB", f, "kMGTPE"[unit])
}

// Short shortens a digest for people; it is long enough to find it in a table.
func Short(h v1.Hash) string {
	const digits = 12
	if len(h.Hex) <= digits {
		return h.String()
	}
	return h.Algorithm + ":" + h.Hex[:digits]
}
