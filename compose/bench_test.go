package compose_test

import (
	"fmt"
	"strings"
	"testing"

	"mtool/compose"
)

// BenchmarkEncode encodes a list of 128 entries: a new one, and a published one after an edit.
func BenchmarkEncode(b *testing.B) {
	var l compose.List
	for i := range 128 {
		row := fmt.Sprintf(
			`{"mediaType":"application/vnd.oci.image.manifest.v1+json","size":1234,"digest":"sha256:%s%03d","platform":{"architecture":"amd64","os":"linux","os.version":"%d"}}`,
			strings.Repeat("0", 61), i, i)
		e, err := compose.NewEntry([]byte(row))
		if err != nil {
			b.Fatal(err)
		}
		l.Entries = append(l.Entries, e)
	}
	base, err := l.Encode()
	if err != nil {
		b.Fatal(err)
	}
	changed := l
	changed.Base, changed.Annotations = base, map[string]string{"a": "b"}
	for name, l := range map[string]compose.List{"new": l, "changed": changed} {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(base.Body)))
			b.ReportAllocs()
			for b.Loop() {
				if _, err := l.Encode(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
