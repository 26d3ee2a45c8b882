package store

import "testing"

// FuzzIndex checks that an index.json which can be parsed keeps its number of rows when encoded and parsed again.
func FuzzIndex(f *testing.F) {
	f.Add([]byte(
		`{"schemaVersion":2,"manifests":[{"mediaType":"application/vnd.oci.image.index.v1+json","digest":"sha256:0000000000000000000000000000000000000000000000000000000000000000","size":1,"x":[1]}],"y":null}`))
	f.Add([]byte(`{"manifests":null}`))
	f.Add([]byte(`[]`))
	f.Fuzz(func(t *testing.T, data []byte) {
		x, err := parseIndex(data)
		if err != nil {
			return
		}
		out, err := x.encode()
		if err != nil {
			t.Fatalf("encoding a parsed index: %v", err)
		}
		again, err := parseIndex(out)
		if err != nil || len(again.Rows) != len(x.Rows) {
			t.Errorf("got %d rows, then %d: %v", len(x.Rows), len(again.Rows), err)
		}
	})
}
