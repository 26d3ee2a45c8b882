package buildcontext

import (
	"errors"
	"strings"
	"testing"

	"mtool/registry"
)

func TestGitAddresses(t *testing.T) {
	t.Parallel()
	for given, want := range map[string]gitAddress{
		"github.com/a/b":                 {url: "https://github.com/a/b"},
		"https://r.example/a.git#v1:svc": {url: "https://r.example/a.git", ref: "v1", dir: "svc"},
		"https://r.example/a.git#:svc":   {url: "https://r.example/a.git", dir: "svc"},
		"https://r.example/a.git?branch=main&subdir=svc/x": {
			url: "https://r.example/a.git", ref: "refs/heads/main",
			dir: "svc/x",
		},
		"https://r.example/a.git?tag=v1":                    {url: "https://r.example/a.git", ref: "refs/tags/v1"},
		"https://r.example/a.git?ref=pull/42/head":          {url: "https://r.example/a.git", ref: "pull/42/head"},
		"ssh://git@r.example/a?ref=v1&checksum=0123456789a": {url: "ssh://git@r.example/a", ref: "v1", commit: "0123456789a"},
	} {
		if got, err := parseGit(given); err != nil || got != want {
			t.Errorf("%s: got %+v, %v", given, got, err)
		}
	}
	for given, want := range map[string]string{
		"https://r.example/a.git?branch=main#v1":    "can't both say",
		"https://r.example/a.git?branch=main&tag=a": "say the same",
		"https://r.example/a.git?tag=a&tag=b":       "say the same",
		"https://r.example/a.git?subdir=":           `"subdir" of its query is empty`,
		"https://r.example/a.git?token=secret":      `unknown "token"`,
		"https://r.example/a.git?tag=%zz":           "reading its query",
	} {
		if _, err := parseGit(given); !errors.Is(err, registry.ErrUsage) || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want a usage error with %q", given, err, want)
		}
	}
}
