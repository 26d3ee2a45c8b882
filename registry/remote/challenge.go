package remote

import (
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"sync"
)

// challenge is what a host requires: https://distribution.github.io/distribution/spec/auth/token/ and RFC 7617.
type challenge struct {
	bearer  bool
	realm   string
	service string
	scope   string // required by one answer; not kept
}

var (
	challengeScheme = sync.OnceValue(func() *regexp.Regexp {
		return regexp.MustCompile(`(?i)(?:^|,)\s*(bearer|basic)(?:\s+|$)`)
	})
	challengeParam = sync.OnceValue(func() *regexp.Regexp {
		return regexp.MustCompile(`([A-Za-z0-9_-]+)\s*=\s*("(?:[^"\\]|\\.)*"|[^\s,"]+)`)
	})
	quotedPair = sync.OnceValue(func() *regexp.Regexp {
		return regexp.MustCompile(`\\(.)`)
	})
)

// parseChallenge takes Bearer before Basic; ok is false when neither is offered.
func parseChallenge(h http.Header) (c challenge, ok bool) {
	for _, line := range h.Values("WWW-Authenticate") {
		starts := challengeScheme().FindAllStringSubmatchIndex(line, -1)
		for i, at := range starts {
			end := len(line)
			if i+1 < len(starts) {
				end = starts[i+1][0]
			}
			found := readChallenge(line[at[2]:at[3]], line[at[1]:end])
			if found.bearer && found.realm == "" {
				continue
			}
			if !ok || found.bearer && !c.bearer {
				c, ok = found, true
			}
		}
	}
	return c, ok
}

func readChallenge(scheme, params string) challenge {
	c := challenge{bearer: strings.EqualFold(scheme, "bearer")}
	for _, m := range challengeParam().FindAllStringSubmatch(params, -1) {
		value := m[2]
		if strings.HasPrefix(value, `"`) {
			value = quotedPair().ReplaceAllString(value[1:len(value)-1], "$1")
		}
		switch strings.ToLower(m[1]) {
		case "realm":
			c.realm = value
		case "service":
			c.service = value
		case "scope":
			c.scope = value
		}
	}
	return c
}

// scopes are the repositories of one host that a token is for:
// https://distribution.github.io/distribution/spec/auth/scope/
type scopes map[string]Access

// strings returns the scopes sorted: equal scopes have equal strings.
func (s scopes) strings() []string {
	out := make([]string, 0, len(s))
	for _, repo := range slices.Sorted(maps.Keys(s)) {
		out = append(out, "repository:"+repo+":"+s[repo].actions())
	}
	return out
}

// actions returns what the access is called in a scope.
func (a Access) actions() string {
	switch a {
	case Delete:
		return "pull,push,delete"
	case PullPush:
		return "pull,push"
	}
	return "pull"
}

func (s scopes) String() string { return strings.Join(s.strings(), " ") }

func (s scopes) writes() bool {
	return slices.ContainsFunc(slices.Collect(maps.Values(s)), func(a Access) bool { return a >= PullPush })
}

// covers reports whether a token for s is enough for need.
func (s scopes) covers(need scopes) bool {
	for repo, access := range need {
		if have, ok := s[repo]; !ok || have < access {
			return false
		}
	}
	return true
}

// with returns the union; the wider access wins.
func (s scopes) with(other scopes) scopes {
	both := maps.Clone(s)
	for repo, access := range other {
		both[repo] = max(both[repo], access)
	}
	return both
}
