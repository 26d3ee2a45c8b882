package binary

import enc "encoding/binary"

// readWasm reads the preamble: a version and, for components, a layer.
// https://webassembly.github.io/spec/core/binary/modules.html#binary-module
func readWasm(s *stream) (Fact, error) {
	f := Fact{Kind: Wasm, Arch: "wasm", Bits: 32, Order: Little}
	b := s.peek(0, 8)
	if len(b) < 8 {
		return f, malformed("WebAssembly", "the file ends after %d bytes", len(b))
	}
	version, layer := enc.LittleEndian.Uint16(b[4:]), enc.LittleEndian.Uint16(b[6:])
	if layer > 1 || layer == 0 && version != 1 {
		return f, malformed("WebAssembly", "unknown version %d of layer %d", version, layer)
	}
	return f, nil
}
