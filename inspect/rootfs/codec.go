package rootfs

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// plainFacts is LayerFacts without its methods.
type plainFacts LayerFacts

// MarshalJSON writes the bytes of names that are not UTF-8 as \xNN, since JSON can't represent them, and a backslash
// as \\ (which JSON doubles once more).
//
// It is an error if the facts are of a part of a layer.
func (f LayerFacts) MarshalJSON() ([]byte, error) {
	if f.Part != Whole {
		return nil, fmt.Errorf("writing facts of layer %s: they are of a part (%s)", f.Digest, f.Part)
	}
	return json.Marshal(plainFacts(f.mapNames(escape)))
}

// UnmarshalJSON reads facts of this version; others are an error that wraps ErrSchema.
func (f *LayerFacts) UnmarshalJSON(data []byte) error {
	var w plainFacts
	if err := json.Unmarshal(data, &w); err != nil {
		return err
	}
	if w.Schema != Schema {
		return fmt.Errorf("reading layer facts: %w %q, not %q", ErrSchema, w.Schema, Schema)
	}
	*f = LayerFacts(w).mapNames(unescape)
	return nil
}

// mapNames returns a copy with change applied to all names in the layer.
func (f LayerFacts) mapNames(change func(string) string) LayerFacts {
	f.Files, f.Folders, f.Whiteouts = slices.Clone(f.Files), slices.Clone(f.Folders), slices.Clone(f.Whiteouts)
	for i := range f.Files {
		file := &f.Files[i]
		file.Path, file.Target, file.Text = change(file.Path), change(file.Target), change(file.Text)
	}
	for i := range f.Folders {
		d := &f.Folders[i]
		d.Path, d.Names, d.Runnable = change(d.Path), change(d.Names), change(d.Runnable)
	}
	for i, w := range f.Whiteouts {
		f.Whiteouts[i] = change(w)
	}
	return f
}

func escape(s string) string {
	if utf8.ValidString(s) && !strings.Contains(s, `\`) {
		return s
	}
	var b strings.Builder
	for i, r := range s {
		_, size := utf8.DecodeRuneInString(s[i:])
		switch {
		case r == utf8.RuneError && size == 1:
			fmt.Fprintf(&b, `\x%02x`, s[i])
		case r == '\\':
			b.WriteString(`\\`)
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}

func unescape(s string) string {
	var b strings.Builder
	for {
		before, after, ok := strings.Cut(s, `\`)
		if !ok && b.Len() == 0 {
			return s
		}
		b.WriteString(before)
		if s = after; !ok {
			return b.String()
		}
		const hex = len("xNN")
		if len(s) >= hex && s[0] == 'x' {
			if n, err := strconv.ParseUint(s[1:hex], 16, 8); err == nil {
				b.WriteByte(byte(n))
				s = s[hex:]
				continue
			}
		}
		b.WriteByte('\\')
		s = strings.TrimPrefix(s, `\`)
	}
}
