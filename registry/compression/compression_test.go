package compression_test

import (
	"bytes"
	"encoding/base64"
	"io"
	"testing"

	"mtool/registry/compression"
)

// packed holds "text\n" as compressed by the programs of these names. The output of pzstd begins with a skippable
// frame.
var packed = map[string]string{
	compression.Gzip:  "H4sIAAAAAAAAAytJrSjhAgAn2uw3BQAAAA==",
	compression.Zstd:  "KLUv/QRYKQAAdGV4dAosUaG/",
	compression.Bzip2: "QlpoOTFBWSZTWcBv4GUAAAHBgAAQAgAEQCAAIYyDNNCI8XckU4UJDAb+BlA=",
	compression.Xz:    "/Td6WFoAAATm1rRGAgAhARYAAAB0L+WjAQAEdGV4dAoAAAAAHSvSiq8ZTM0AAR0FuC2Arx+2830BAAAAAARZWg==",
	"pzstd":           "UCpNGAQAAAAQAAAAKLUv/QRYKQAAdGV4dAosUaG/",
}

func TestOpen(t *testing.T) {
	t.Parallel()
	for program, text := range packed {
		data, err := base64.StdEncoding.DecodeString(text)
		if err != nil {
			t.Fatal(err)
		}
		name := compression.Name(data[:compression.HeadSize])
		if want := map[bool]string{true: compression.Zstd, false: program}[program == "pzstd"]; name != want {
			t.Errorf("%s: got name %q", program, name)
		}
		r, err := compression.Open(name, bytes.NewReader(data))
		if err != nil {
			t.Errorf("%s: %v", program, err)
			continue
		}
		got, err := io.ReadAll(r)
		if string(got) != "text\n" || err != nil || r.Close() != nil {
			t.Errorf("%s: got %q, %v", program, got, err)
		}
		cut, err := compression.Open(name, bytes.NewReader(data[:len(data)-1]))
		if err == nil {
			_, err = io.ReadAll(cut)
		}
		if err == nil {
			t.Errorf("%s: truncated data was accepted", program)
		}
	}
}

func TestUnknownCompression(t *testing.T) {
	t.Parallel()
	for _, head := range []string{"", "\x1f", "text", "ustar", "\x28\xb5\x2f", "\xfd7zXZ", "\x60\x2a\x4d\x18"} {
		if name := compression.Name([]byte(head)); name != "" {
			t.Errorf("%q: got name %q, want none", head, name)
		}
	}
	if _, err := compression.Open("", bytes.NewReader(nil)); err == nil {
		t.Error("Open accepted an empty name")
	}
}
