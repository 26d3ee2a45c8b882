package registry

import (
	"maps"
	"slices"
	"strings"
)

// scopes are the repositories of one host that a token is for:
// https://distribution.github.io/distribution/spec/auth/scope/
type scopes map[string]Access

// strings are sorted: equal scopes have equal strings.
func (s scopes) strings() []string {
	out := make([]string, 0, len(s))
	for _, repo := range slices.Sorted(maps.Keys(s)) {
		actions := "pull"
		if s[repo] == PullPush {
			actions = "pull,push"
		}
		out = append(out, "repository:"+repo+":"+actions)
	}
	return out
}

func (s scopes) String() string { return strings.Join(s.strings(), " ") }

func (s scopes) writes() bool { return slices.Contains(slices.Collect(maps.Values(s)), PullPush) }

// covers reports whether a token for s is enough for need.
func (s scopes) covers(need scopes) bool {
	for repo, access := range need {
		if have, ok := s[repo]; !ok || have < access {
			return false
		}
	}
	return true
}

// with is both; the wider access wins.
func (s scopes) with(other scopes) scopes {
	both := maps.Clone(s)
	for repo, access := range other {
		both[repo] = max(both[repo], access)
	}
	return both
}
