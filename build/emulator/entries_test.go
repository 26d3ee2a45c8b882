package emulator

import (
	"strings"
	"testing"
)

const qemuEntry = `enabled
interpreter /usr/bin/qemu-aarch64-static
flags: OCF
offset 0
magic 7f454c460201010000000000000000000200b700
mask ffffffffffffff00fffffffffffffffffeffffff
`

func TestServing(t *testing.T) {
	t.Parallel()
	arm64, riscv64 := emulators()["arm64"], emulators()["riscv64"]
	for name, c := range map[string]struct {
		text string
		e    Emulator
		want bool
	}{
		"as Debian registers it": {qemuEntry, arm64, true},
		"for another machine":    {qemuEntry, riscv64, false},
		"disabled":               {strings.Replace(qemuEntry, "enabled", "disabled", 1), arm64, false},
		"without F":              {strings.Replace(qemuEntry, "OCF", "OC", 1), arm64, false},
		"by extension":           {"enabled\ninterpreter /x\nflags: F\nextension .jar\n", arm64, false},
		"without a mask":         {strings.Split(qemuEntry, "mask")[0], arm64, true},
		"nothing":                {"", arm64, false},
	} {
		if _, got := Serving([]Entry{parseEntry(c.text)}, c.e); got != c.want {
			t.Errorf("%s: got %v", name, got)
		}
	}
}
