package worker

import (
	"bytes"
	"encoding/hex"
	"os"
	"path/filepath"
	"strings"

	"mtool/build/emulator"
)

// entry is one line of a binfmt_misc, as its file says.
type entry struct {
	enabled     bool
	flags       string
	offset      string
	magic, mask []byte
}

// readEntries reads the entries below dir. What can't be read is as good as not there.
func readEntries(dir string) []entry {
	files, err := os.ReadDir(dir)
	if err != nil {
		return nil
	}
	var entries []entry
	for _, f := range files {
		if f.Name() == "register" || f.Name() == "status" {
			continue
		}
		if b, err := os.ReadFile(filepath.Join(dir, f.Name())); err == nil {
			entries = append(entries, parseEntry(string(b)))
		}
	}
	return entries
}

// parseEntry reads the format of fs/binfmt_misc.c, entry_status.
func parseEntry(text string) entry {
	var e entry
	for line := range strings.Lines(text) {
		word, value, _ := strings.Cut(strings.TrimSpace(line), " ")
		switch word {
		case "enabled":
			e.enabled = true
		case "flags:":
			e.flags = value
		case "offset":
			e.offset = value
		case "magic":
			e.magic, _ = hex.DecodeString(value)
		case "mask":
			e.mask, _ = hex.DecodeString(value)
		}
	}
	return e
}

// serves says whether one of the entries runs e's programs inside of containers, which needs the flag F.
func serves(entries []entry, e emulator.Emulator) bool {
	program := make([]byte, 64)
	copy(program, e.Magic)
	for _, x := range entries {
		if !x.enabled || !strings.Contains(x.flags, "F") || x.offset != "0" || len(x.magic) == 0 || len(x.magic) > len(program) {
			continue
		}
		if x.mask == nil {
			x.mask = bytes.Repeat([]byte{0xff}, len(x.magic))
		}
		if (emulator.Emulator{Magic: x.magic, Mask: x.mask}).Matches(program) {
			return true
		}
	}
	return false
}
