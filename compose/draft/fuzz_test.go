package draft

import (
	"bytes"
	"testing"

	"mtool/compose"
	"mtool/registry"
)

// FuzzDraft: what can be read of a file can be written, and read again as the same.
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
			t.Fatalf("what was read can't be written: %v", err)
		}
		again, err := decode(once)
		if err != nil {
			t.Fatalf("what was written can't be read: %v", err)
		}
		twice, err := encode(again)
		if err != nil || !bytes.Equal(once, twice) {
			t.Errorf("%q was written as %q, then as %q (%v)", data, once, twice, err)
		}
	})
}
