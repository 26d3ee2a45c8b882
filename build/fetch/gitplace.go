package fetch

import (
	"strings"
)

// IsGit reports whether place is the address of a Git repository, by the rules that docker build has.
// https://docs.docker.com/build/concepts/context/#git-repositories
func IsGit(place string) bool {
	for _, prefix := range []string{"git://", "git@", "ssh://", "github.com/"} {
		if strings.HasPrefix(place, prefix) {
			return true
		}
	}
	address, _, _ := strings.Cut(place, "#")
	return strings.HasSuffix(address, ".git") && (isHTTP(place) || strings.HasPrefix(place, fileScheme))
}

const fileScheme = "file://"

type gitPlace struct{ url, ref, dir string }

func parseGit(place string) gitPlace {
	url, fragment, _ := strings.Cut(place, "#")
	if strings.HasPrefix(url, "github.com/") {
		url = "https://" + url
	}
	ref, dir, _ := strings.Cut(fragment, ":")
	return gitPlace{url, ref, dir}
}
