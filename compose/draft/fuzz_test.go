package draft

import (
	"bytes"
	"testing"

	"mtool/compose"
	"mtool/registry"
)

// FuzzDraft checks that a draft which can be decoded encodes, and decodes again, to equal bytes.
func FuzzDraft(f *testing.F) {
	ref, err := registry.ParseRef("demo:v1")
	if err != nil {
		f.Fatal(err)
	}
	seed, err := encode(compose.List{Name: ref, Annotations: map[string]string{"a": "b"}})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(seed)
	f.Add([]byte(`{"schema":"mtool.draft/v1","entries":[{}]}`))
	f.Add([]byte(`{`))
	f.Fuzz(func(t *testing.T, data []byte) {
		l, err := decode(data)
		if err != nil {
			return
		}
		once, err := encode(l)
		if err != nil {
			t.Fatalf("encoding a decoded draft: %v", err)
		}
		again, err := decode(once)
		if err != nil {
			t.Fatalf("decoding an encoded draft: %v", err)
		}
		twice, err := encode(again)
		if err != nil || !bytes.Equal(once, twice) {
			t.Errorf("%q was written as %q, then as %q (%v)", data, once, twice, err)
		}
	})
}
