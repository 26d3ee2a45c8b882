package registry

import (
	"errors"
	"fmt"
	"net/netip"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// ForeignError is an ErrName: a name with a prefix that only other tools know.
type ForeignError struct {
	Prefix string // with its colon: "oci-layout:"
	Rest   string // what follows it
	reason string
}

func (e *ForeignError) Error() string { return fmt.Sprintf("%v: %s", ErrName, e.reason) }

// Unwrap returns ErrName.
func (e *ForeignError) Unwrap() error { return ErrName }

// FileError is an ErrName: the path of a file where a name should be.
type FileError struct{ Path string }

func (e *FileError) Error() string { return fmt.Sprintf("%v: it is a file", ErrName) }

// Unwrap returns ErrName.
func (e *FileError) Unwrap() error { return ErrName }

// Hint implements Hinter.
func (e *FileError) Hint() string { return fileHint(e.Path) }

// withoutLogin hides the user name and password of a URL: errors end up in logs.
func withoutLogin(s string) string {
	scheme, rest, ok := strings.Cut(s, "://")
	host, _, _ := strings.Cut(rest, "/")
	if at := strings.LastIndex(host, "@"); ok && at >= 0 {
		return scheme + "://xxxxx" + rest[at:]
	}
	return s
}

// foreignPrefix returns the error for a name that begins as those of another tool; nil for other names.
func foreignPrefix(s string) error {
	s = withoutLogin(s)
	for _, f := range []ForeignError{
		{Prefix: "http://", reason: "a reference has no URL scheme"},
		{Prefix: "https://", reason: "a reference has no URL scheme"},
		{Prefix: "file://", reason: "a file is named by its kind, not by a URL"},
		{Prefix: "oci-layout:", reason: "unknown transport oci-layout:"},
		{Prefix: "ostree:", reason: "unknown transport ostree:"},
	} {
		if rest, ok := strings.CutPrefix(s, f.Prefix); ok {
			f.Rest = rest
			return &f
		}
	}
	word, rest, ok := strings.Cut(s, ":")
	if !ok || !isPath(rest) && !strings.HasPrefix(rest, "//") || strings.ContainsAny(word, "/@") {
		return nil
	}
	prefix := word + ":"
	if url, ok := strings.CutPrefix(rest, "//"); ok {
		prefix, rest = prefix+"//", url
	}
	return &ForeignError{Prefix: prefix, Rest: rest, reason: "unknown transport " + prefix}
}

// mistaken returns an error for text that is often typed instead of a name and for which the parser's message would not
// help; nil for other text. lookup returns the transport of a path that is there.
func mistaken(s string, lookup func(path string) Transport) error {
	if err := foreignPrefix(s); err != nil {
		return err
	}
	if host := strings.TrimSuffix(s, "/"); onlyHost(host) {
		return nameError("it is a registry without a repository", "write "+host+"/NAME")
	}
	switch is := lookup(s); {
	case is == TransportLayout && (isPath(s) || strings.HasSuffix(s, "/")):
		return nameError("it is a directory", "write oci:"+s)
	case !isPath(s):
	case is != "":
		return &FileError{s}
	case namesTar(s):
		return WithHint(WithKind(WithKind(errors.New("no such file"), ErrNotFound), ErrName), "to write one: oci-archive:"+s)
	default:
		return nameError("a path, not a name", "write oci:"+s+" for a layout, "+strings.TrimPrefix(fileHint(s), "write "))
	}
	if _, err := v1.NewHash(s); err == nil {
		return nameError("a digest without the repository that has it", "write NAME@"+s)
	}
	return nil
}

// isPath reports whether s can only be a path.
func isPath(s string) bool {
	for _, start := range []string{"/", "./", "../", "~/"} {
		if strings.HasPrefix(s, start) {
			return true
		}
	}
	return s == "." || s == ".."
}

func fileHint(path string) string {
	return fmt.Sprintf("write oci-archive:%s or docker-archive:%s for an archive", path, path)
}

// onlyHost reports whether s is this machine or an IP address, perhaps with a port, and so never an image.
func onlyHost(s string) bool {
	if _, err := netip.ParseAddrPort(s); err == nil {
		return true
	}
	if _, err := netip.ParseAddr(strings.Trim(s, "[]")); err == nil {
		return true
	}
	host, port, _ := strings.Cut(s, ":")
	return host == podmanHost && isPort(port)
}

// isPort reports whether s can be a port, or is empty.
func isPort(s string) bool { return len(s) <= 5 && strings.Trim(s, digits) == "" }

// mistakenURL returns an error for a transport that is followed by // and should not be. Helm and Flux write oci:// in
// front of names in registries; here oci: is a directory.
func mistakenURL(t Transport, rest string) error {
	name, ok := strings.CutPrefix(rest, "//")
	if !ok || t == TransportRegistry || strings.HasPrefix(name, "/") {
		return nil
	}
	hint := fmt.Sprintf("write %s:%s", t, name)
	if t == TransportLayout && namesHost(name) {
		hint = "write " + name
	}
	what := "a name"
	if (Ref{Transport: t}).IsFile() {
		what = "a path"
	}
	if t == TransportLayout {
		return nameError("oci: is a layout here, and takes a path without //", hint)
	}
	return nameError(fmt.Sprintf("%s: takes %s without //", t, what), hint)
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
	if _, port, _ := strings.Cut(host, ":"); !ok || !isPort(port) && !strings.HasPrefix(host, "[") {
		rest = name
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
