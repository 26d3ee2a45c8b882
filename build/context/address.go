package buildcontext

import (
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"

	"mtool/registry"
)

// isGit reports whether given is the address of a Git repository, by docker build's rules.
// https://docs.docker.com/build/concepts/context/#git-repositories
func isGit(given string) bool {
	for _, prefix := range []string{"git://", "git@", "ssh://", "github.com/"} {
		if strings.HasPrefix(given, prefix) {
			return true
		}
	}
	address, _, _ := strings.Cut(given, "#")
	address, _, _ = strings.Cut(address, "?")
	return strings.HasSuffix(address, ".git") && (isHTTP(given) || strings.HasPrefix(given, fileScheme))
}

const fileScheme = "file://"

type gitAddress struct {
	url, ref, dir string
	commit        string // the required commit, or a prefix of it; "" for any
}

// parseGit reads the two forms of an address: URL#REF:DIR and URL?branch=…&subdir=….
// https://docs.docker.com/build/concepts/context/#url-queries
func parseGit(given string) (gitAddress, error) {
	address, fragment, hasFragment := strings.Cut(given, "#")
	address, query, hasQuery := strings.Cut(address, "?")
	if strings.HasPrefix(address, "github.com/") {
		address = "https://" + address
	}
	p := gitAddress{url: address}
	if !hasQuery {
		p.ref, p.dir, _ = strings.Cut(fragment, ":")
		return p, nil
	}
	if hasFragment {
		return p, registry.Usagef("%q: a query and a fragment can't both say what is taken", shown(given))
	}
	values, err := url.ParseQuery(query)
	if err != nil {
		return p, registry.Usagef("%q: reading its query: %w", shown(given), err)
	}
	for _, key := range slices.Sorted(maps.Keys(values)) {
		if err := p.set(key, values[key]); err != nil {
			return p, registry.Usagef("%q: %w", shown(given), err)
		}
	}
	return p, nil
}

func (p *gitAddress) set(key string, values []string) error {
	to, prefix := &p.ref, ""
	switch key {
	case "ref":
	case "branch":
		prefix = "refs/heads/"
	case "tag":
		prefix = "refs/tags/"
	case "subdir":
		to = &p.dir
	case "checksum", "commit":
		to = &p.commit
	default:
		return fmt.Errorf("unknown %q in its query: ref, branch, tag, subdir and checksum are known", key)
	}
	switch {
	case *to != "" || len(values) > 1:
		return fmt.Errorf("%q and others of its query say the same", key)
	case values[0] == "":
		return fmt.Errorf("%q of its query is empty", key)
	}
	*to = prefix + values[0]
	return nil
}

// shown returns an address without its password, and without the values of its query but for those that Git contexts
// have: links to files are often signed.
func shown(given string) string {
	u, err := url.Parse(given)
	if err != nil {
		return given
	}
	query := u.Query()
	for key := range query {
		switch key {
		case "branch", "checksum", "commit", "keep-git-dir", "ref", "subdir", "submodules", "tag":
		default:
			query.Set(key, "xxxxx")
		}
	}
	if len(query) > 0 && strings.Contains(query.Encode(), "xxxxx") {
		u.RawQuery = query.Encode()
	}
	return u.Redacted()
}

// IsRemote reports whether given is an address.
func IsRemote(given string) bool { return isGit(given) || isHTTP(given) }

func isHTTP(given string) bool {
	return strings.HasPrefix(given, "http://") || strings.HasPrefix(given, "https://")
}
