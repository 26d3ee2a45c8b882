package registry

import (
	"fmt"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// ForeignError is an ErrName: a name with a prefix that only other tools know.
type ForeignError struct {
	Prefix string // with its colon: "containers-storage:"
	reason string
}

func (e *ForeignError) Error() string { return fmt.Sprintf("%v: %s", ErrName, e.reason) }

// Unwrap returns ErrName.
func (e *ForeignError) Unwrap() error { return ErrName }

// foreign are the prefixes of other tools. One without // may also be an image's own name (dir:v1), and counts only if
// the rest is not a tag.
var foreign = []ForeignError{
	{"http://", "a reference has no URL scheme"},
	{"https://", "a reference has no URL scheme"},
	{"file://", "a file is named by its kind, not by a URL"},
	{"containers-storage:", "podman's own store can't be read here"},
	{"dir:", "the directories of skopeo and podman can't be read here"},
	{"oci-layout:", "unknown transport oci-layout:"},
	{"ostree:", "unknown transport ostree:"},
}

// mistaken returns an error for text that is often typed instead of a name and for which the parser's message would not
// help; nil for other text.
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

// mistakenURL returns an error for oci://. Helm and Flux write it in front of names in registries; here oci: is a
// directory.
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

// wrongPart returns which part of a name the parser does not accept; "" where the parser's own message is as good.
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

// tagOf returns what follows the colon that is not a port's, slashes included.
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
		return fmt.Sprintf("the tag has %d characters, more than %d", len(tag), longestTag), ""
	case !IsTag(tag):
		return fmt.Sprintf("%q is not a tag (letters, digits, '_', '.' and '-')", tag), tagHint(tag)
	}
	return "", ""
}

// tagHint suggests a similar valid tag. For + Helm writes _: https://helm.sh/docs/topics/registries/
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
	return fmt.Sprintf("write %q, for example", better)
}

// namesTar reports whether s ends as the path of a tar does.
func namesTar(s string) bool {
	if strings.Contains(s, ":") {
		return false
	}
	for _, end := range []string{".tar", ".tar.gz", ".tgz", ".tar.zst", ".tar.xz", ".txz", ".tar.bz2", ".tbz2"} {
		if strings.HasSuffix(s, end) {
			return true
		}
	}
	return false
}

// namesHost follows distribution/reference: the part before the first slash is a host if it can't be a path, or is
// "localhost".
func namesHost(s string) bool {
	first, _, ok := strings.Cut(s, "/")
	return ok && (strings.ContainsAny(first, ".:") || first == "localhost" || strings.ToLower(first) != first)
}

func nameError(reason, hint string) error {
	return WithHint(fmt.Errorf("%w: %s", ErrName, reason), hint)
}
