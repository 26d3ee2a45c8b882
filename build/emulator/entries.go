package emulator

import (
	"bytes"
	"encoding/hex"
	"os"
	"path/filepath"
	"strings"
)

// Entry is one entry of a binfmt_misc, as in its file.
type Entry struct {
	Name        string
	Enabled     bool
	Interpreter string
	Flags       string
	Offset      string
	Magic, Mask []byte
}

// Dir is where binfmt_misc is mounted.
const Dir = "/proc/sys/fs/binfmt_misc"

// ReadEntries reads the entries below dir, sorted by name. It skips those that can't be read.
func ReadEntries(dir string) []Entry {
	files, err := os.ReadDir(dir)
	if err != nil {
		return nil
	}
	var entries []Entry
	for _, f := range files {
		if f.Name() == "register" || f.Name() == "status" {
			continue
		}
		if b, err := os.ReadFile(filepath.Join(dir, f.Name())); err == nil {
			e := parseEntry(string(b))
			e.Name = f.Name()
			entries = append(entries, e)
		}
	}
	return entries
}

// parseEntry parses the format of fs/binfmt_misc.c, entry_status.
func parseEntry(text string) Entry {
	var e Entry
	for line := range strings.Lines(text) {
		word, value, _ := strings.Cut(strings.TrimSpace(line), " ")
		switch word {
		case "enabled":
			e.Enabled = true
		case "interpreter":
			e.Interpreter = value
		case "flags:":
			e.Flags = value
		case "offset":
			e.Offset = value
		case "magic":
			e.Magic, _ = hex.DecodeString(value)
		case "mask":
			e.Mask, _ = hex.DecodeString(value)
		}
	}
	return e
}

// Serving returns the first entry that runs e's programs inside containers, which needs the flag F.
func Serving(entries []Entry, e Emulator) (Entry, bool) {
	for _, x := range entries {
		if x.Enabled && strings.Contains(x.Flags, "F") && x.takes(e) {
			return x, true
		}
	}
	return Entry{}, false
}

// takes reports whether x matches e's programs.
func (x Entry) takes(e Emulator) bool {
	program := make([]byte, 64)
	copy(program, e.Magic)
	if x.Offset != "0" || len(x.Magic) == 0 || len(x.Magic) > len(program) {
		return false
	}
	mask := x.Mask
	if mask == nil {
		mask = bytes.Repeat([]byte{0xff}, len(x.Magic))
	}
	return len(mask) == len(x.Magic) && (Emulator{Magic: x.Magic, Mask: mask}).Matches(program)
}
