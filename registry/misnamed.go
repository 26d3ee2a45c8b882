package registry

import (
	"fmt"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// ForeignError is a name with a prefix that other tools know: an ErrName.
type ForeignError struct {
	Prefix string // with its colon: "containers-storage:"
	reason string
}

func (e *ForeignError) Error() string { return fmt.Sprintf("%v: %s", ErrName, e.reason) }

// Unwrap returns ErrName.
func (e *ForeignError) Unwrap() error { return ErrName }

// foreign are what other tools write in front of a name. What has no // may be an image's own name too (dir:v1), and counts
// where the rest is no tag.
var foreign = []ForeignError{
	{"http://", "a reference has no URL scheme"},
	{"https://", "a reference has no URL scheme"},
	{"file://", "a file is named by its kind, not by a URL"},
	{"containers-storage:", "podman's own store can't be read here"},
	{"dir:", "the directories of skopeo and podman can't be read here"},
	{"oci-layout:", "unknown transport oci-layout:"},
	{"ostree:", "unknown transport ostree:"},
}

// mistaken recognises what is no name but often typed for one, where the parser's own message would not help.
func mistaken(s string) error {
	for _, f := range foreign {
		rest, ok := strings.CutPrefix(s, f.Prefix)
		if ok && (strings.HasSuffix(f.Prefix, "//") || !IsTag(rest)) {
			return &f
		}
	}
	switch {
	case strings.HasPrefix(s, "/"), strings.HasPrefix(s, "./"), strings.HasPrefix(s, "../"):
		if namesTar(s) {
			return fmt.Errorf("%w: %w: no such file", ErrName, ErrNotFound)
		}
		return nameError("a path, not a name", "write oci:DIR, oci-archive:FILE or docker-archive:FILE")
	}
	if _, err := v1.NewHash(s); err == nil {
		return nameError("a digest without the repository that has it", "write NAME@"+s)
	}
	return nil
}

// mistakenURL is for oci://, which Helm and Flux write in front of names in registries, where oci: is a directory here.
func mistakenURL(rest string) error {
	name, ok := strings.CutPrefix(rest, "//")
	if !ok || strings.HasPrefix(name, "/") {
		return nil
	}
	hint := "write oci:" + name
	if namesHost(name) {
		hint = "write " + name
	}
	return nameError("oci: is a layout here, and takes a path without //", hint)
}

const unset = "is a variable unset?"

// wrongPart says which part of a name the parser does not take; "" where its own words are as good.
func wrongPart(s string) (reason, hint string) {
	name, digest, digested := strings.Cut(s, "@")
	if digested {
		if reason, hint = wrongDigest(digest); reason != "" {
			return reason, hint
		}
	}
	if tag, tagged := tagOf(name); tagged {
		return wrongTag(tag)
	}
	switch {
	case name == "":
		return "the name is empty", unset
	case strings.HasSuffix(name, "/"):
		return "it ends with a '/', where a repository should follow", ""
	}
	return "", ""
}

func wrongDigest(digest string) (reason, hint string) {
	algorithm, hex, _ := strings.Cut(digest, ":")
	switch {
	case hex == "":
		return "the digest is empty", unset
	case algorithm == "sha256" && len(hex) != 64:
		return fmt.Sprintf("the digest %q is not 64 digits long", digest), ""
	}
	return "", ""
}

// tagOf is what follows the colon that is not that of a port, with slashes too.
func tagOf(name string) (tag string, tagged bool) {
	host, rest, ok := strings.Cut(name, "/")
	if !ok {
		rest = host
	}
	_, tag, tagged = strings.Cut(rest, ":")
	return tag, tagged
}

func wrongTag(tag string) (reason, hint string) {
	switch {
	case tag == "":
		return "the tag is empty", unset
	case len(tag) > longestTag:
		return fmt.Sprintf("the tag has %d characters, %d are the most", len(tag), longestTag), ""
	case !IsTag(tag):
		return fmt.Sprintf("a tag can't be %q: letters, digits, '_', '.' and '-' make one", tag), tagHint(tag)
	}
	return "", ""
}

// tagHint is a tag that is near to such a word; of a + Helm makes a _: https://helm.sh/docs/topics/registries/
func tagHint(tag string) string {
	better := strings.TrimLeft(strings.Map(func(r rune) rune {
		switch {
		case r == '+':
			return '_'
		case r < 0x80 && strings.ContainsRune(tagFollowed, r):
			return r
		}
		return '-'
	}, tag), ".-")
	if !IsTag(better) {
		return ""
	}
	return fmt.Sprintf("write %q, say", better)
}
