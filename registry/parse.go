package registry

import (
	"cmp"
	"fmt"
	"os"
	"regexp"
	"strings"
	"sync"

	"github.com/distribution/reference"
	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// refName matches what the OCI image specification allows in org.opencontainers.image.ref.name, the "tag" of a layout:
// https://github.com/opencontainers/image-spec/blob/main/annotations.md#pre-defined-annotation-keys
var refName = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`^[A-Za-z0-9]+((--|[-._:@+])[A-Za-z0-9]+)*(/[A-Za-z0-9]+((--|[-._:@+])[A-Za-z0-9]+)*)*$`)
})

// ParseRef reads a reference as typed:
//
//	demo:v1                      bare: docker.io/library/demo:v1, looked up in drafts, store and registry
//	HOST/NAME[:TAG][@DIGEST]     a registry; also docker://NAME
//	store:NAME  draft:NAME       the local store, an unpublished list
//	docker-daemon:NAME           Docker Engine
//	containers-storage:NAME      podman's own store; NAME may be an image's ID
//	oci:DIR[:TAG][@DIGEST]       an OCI layout; also oci-layout://DIR
//	oci-archive:FILE[:TAG][@DIGEST], docker-archive:FILE[:TAG]
//	dir:DIR[@DIGEST]             what skopeo and podman write as dir:
//
// A path that exists and ends in .tar, or as a compressed tar does, needs no transport; a file is then an oci-archive,
// whose real kind package archive sniffs, and a directory is a layout. DIR and FILE can't hold a colon, but that of
// dir: can. Names and digests are those of distribution/reference, with the algorithms sha256 and sha512.
//
// An error wraps ErrName and may implement Hinter.
func ParseRef(s string) (Ref, error) {
	r, err := parseRef(s, pathTransport)
	if err != nil {
		return Ref{}, fmt.Errorf("parsing reference %q: %w", withoutLogin(s), err)
	}
	r.Typed = s
	return r, nil
}

// pathTransport returns the transport of an existing path; "" when there is none.
func pathTransport(path string) Transport {
	info, err := os.Stat(path)
	switch {
	case err != nil:
		return ""
	case info.IsDir():
		return TransportLayout
	}
	return TransportArchive
}

// parseRef is ParseRef without the file system: lookup returns the transport of a path.
func parseRef(s string, lookup func(path string) Transport) (Ref, error) {
	if t, rest, ok := cutTransport(s); ok {
		if err := mistakenURL(t, rest); err != nil {
			return Ref{}, err
		}
		if (Ref{Transport: t}).IsFile() {
			return parseFile(t, rest)
		}
		if t == TransportContainers && len(rest) == longestID && strings.Trim(rest, hexDigits) == "" {
			rest = "sha256:" + rest // podman prints IDs without the algorithm, and no name looks like that
		}
		return parseName(t, rest)
	}
	if namesTar(s) {
		if t := lookup(s); t != "" {
			return Ref{Transport: t, Path: s}, nil
		}
	}
	if err := mistaken(s, lookup); err != nil {
		return Ref{}, err
	}
	r, err := parseName(TransportRegistry, s)
	if err != nil {
		return Ref{}, err
	}
	r.Bare = !namesHost(s) || r.Host == podmanHost || r.official() && r.Digest != (v1.Hash{})
	return r, nil
}

// official reports whether the repository is one of those that Docker itself keeps in Docker Hub.
func (r Ref) official() bool { return r.Host == "docker.io" && strings.HasPrefix(r.Repo, "library/") }

// parseName parses a name that is not a file.
func parseName(t Transport, s string) (Ref, error) {
	named, err := reference.ParseNormalizedNamed(s)
	if err != nil {
		if reason, hint := wrongPart(s); reason != "" {
			return Ref{}, nameError(reason, hint)
		}
		hint := ""
		if lower := strings.ToLower(s); lower != s {
			if _, again := reference.ParseNormalizedNamed(lower); again == nil {
				hint = fmt.Sprintf("names are lower case: %q", lower)
			}
		}
		reason, guess := formatReason(s, err)
		return Ref{}, nameError(reason, cmp.Or(hint, guess))
	}
	r := Ref{Transport: t, Host: reference.Domain(named), Repo: reference.Path(named)}
	if r.Host == "" { // the parser accepts it
		host, _, _ := strings.Cut(s, "/")
		return Ref{}, nameError(fmt.Sprintf("%q is not a host name (letters, digits, '-' and '.')", host), "")
	}
	if tagged, ok := named.(reference.Tagged); ok {
		r.Tag = tagged.Tag()
	}
	if digested, ok := named.(reference.Digested); ok {
		if r.Digest, err = v1.NewHash(digested.Digest().String()); err != nil {
			return Ref{}, nameError(err.Error(), "")
		}
	}
	if r.Tag == "" && r.Digest == (v1.Hash{}) {
		r.Tag = "latest"
	}
	return r, nil
}

// formatReason returns the parser's reason. Where it has none, s has a character that no name has.
func formatReason(s string, err error) (reason, hint string) {
	const none, patterns = "invalid reference format", "*?[$"
	reason = strings.TrimPrefix(strings.TrimPrefix(err.Error(), none), ": ")
	switch {
	case reason != "":
		return reason, ""
	case strings.ContainsAny(s, patterns):
		return "a name has no " + s[strings.IndexAny(s, patterns):][:1],
			"is it a pattern that matches no file, or a variable in single quotes?"
	}
	return "it is not an image's name (lower-case letters, digits, '.', '_', '-' and '/')", ""
}

// parseFile parses PATH[:TAG][@DIGEST]. As in containers-transports(5) the path ends at the first colon, since the tag
// of a layout may be a whole reference with colons of its own.
func parseFile(t Transport, s string) (Ref, error) {
	r := Ref{Transport: t}
	if at := strings.LastIndex(s, "@"); at >= 0 {
		if h, err := v1.NewHash(s[at+1:]); err == nil {
			r.Digest, s = h, s[:at]
		}
	}
	path, tag, tagged := strings.Cut(s, ":")
	if t == TransportDirectory { // it holds one image, and its path may have a colon
		path, tag, tagged = s, "", false
	}
	r.Path, r.Tag = path, tag
	switch {
	case path == "":
		return Ref{}, nameError(fmt.Sprintf("%s: needs a path", t), "")
	case tagged && !refName().MatchString(tag):
		return Ref{}, nameError(fmt.Sprintf("invalid tag %q", tag), "")
	}
	return r, nil
}
