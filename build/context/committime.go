package buildcontext

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"

	"mtool/registry"
)

// CommitTime returns the time of the commit that dir is checked out from, in seconds since 1970. Its repository has
// dir, or a directory above it, as working tree. Nothing in the repository is executed.
func CommitTime(ctx context.Context, dir string) (string, error) {
	when, err := commitTimeOf(ctx, dir)
	if err != nil {
		return "", fmt.Errorf("finding the commit of %q: %w", dir, err)
	}
	return when, nil
}

func commitTimeOf(ctx context.Context, dir string) (when string, err error) {
	r, err := findRepository(dir)
	if err != nil {
		return "", err
	}
	id, err := r.resolve("")
	if err != nil {
		return "", err
	}
	lent, err := os.MkdirTemp("", "mtool-git-")
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(lent)) }()
	if err := r.lend(lent, id); err != nil {
		return "", err
	}
	return git{dir: lent, own: true}.commitTime(ctx, id)
}

// commitTime reads the raw commit: formatting it can start programs, such as those that check signatures.
func (g git) commitTime(ctx context.Context, id string) (string, error) {
	commit, err := g.run(ctx, "cat-file", "commit", id)
	if err != nil {
		return "", err
	}
	for line := range strings.Lines(commit) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), " ")
		if words := strings.Fields(value); name == "committer" && len(words) > 1 {
			when := words[len(words)-2]
			if _, err := strconv.ParseUint(when, 10, 63); err == nil {
				return when, nil
			}
		}
		if name == "" { // the message
			break
		}
	}
	return "", registry.WithKind(fmt.Errorf("commit %s has no time", id), registry.ErrContent)
}
