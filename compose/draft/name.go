package draft

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"mtool/registry"
)

const (
	suffix = ".json"
	// hashed starts the file names of lists whose escaped name is too long for a file system. No escaped name starts
	// like this, since each has an escaped slash earlier.
	hashed  = "long-sha256-"
	maxName = 180 // bytes; file systems take 255, and temporary files have a longer name than what they become
)

// nameOf returns the full name of a draft. It must be a repository with a tag.
func nameOf(ref registry.Ref) (string, error) {
	switch {
	case ref.Digest != (v1.Hash{}):
		err := registry.Usagef("naming draft %q: a list can't be named by a digest, which follows from its content", ref)
		return "", registry.WithHint(err, "give it a tag: "+ref.Repository()+":TAG")
	case ref.IsFile() || ref.Repo == "":
		return "", registry.Usagef("naming draft %q: want a name such as demo:v1", ref)
	}
	return ref.Name(), nil
}

// fileOf returns the file of a name. Different names have different files, even on file systems that ignore case.
func fileOf(name string) string {
	if escaped := escape(name); len(escaped) <= maxName {
		return escaped + suffix
	}
	sum := sha256.Sum256([]byte(name))
	return hashed + hex.EncodeToString(sum[:]) + suffix
}

// nameIn returns the name of the draft in a file; "" if the file name does not show it.
func nameIn(file string) string {
	base, ok := strings.CutSuffix(file, suffix)
	if !ok || strings.HasPrefix(base, hashed) {
		return ""
	}
	name, ok := unescape(base)
	if !ok || fileOf(name) != file {
		return ""
	}
	return name
}

// escape writes every byte other than a-z, 0-9, dot, dash and underscore as %xx.
func escape(name string) string {
	var b strings.Builder
	for i := range len(name) {
		c := name[i]
		switch {
		case c >= 'a' && c <= 'z', c >= '0' && c <= '9', c == '.' && i > 0, c == '-', c == '_':
			b.WriteByte(c)
		default:
			fmt.Fprintf(&b, "%%%02x", c)
		}
	}
	return b.String()
}

func unescape(s string) (string, bool) {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] != '%' {
			b.WriteByte(s[i])
			continue
		}
		if i+2 >= len(s) {
			return "", false
		}
		c, err := hex.DecodeString(s[i+1 : i+3])
		if err != nil {
			return "", false
		}
		b.WriteByte(c[0])
		i += 2
	}
	return b.String(), true
}
