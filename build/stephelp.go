package build

import (
	"fmt"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"

	"github.com/moby/buildkit/solver/errdefs"

	"mtool/build/advice"
	embedded "mtool/build/worker"
)

// isRun reports whether a step runs a program of the image.
func isRun(step string) bool {
	_, rest, inStage := strings.Cut(step, "] ")
	return inStage && strings.HasPrefix(strings.TrimPrefix(rest, "ONBUILD "), "RUN ")
}

// ownerError is a copy whose owner is a name, into a layer of its own.
type ownerError struct{ err error }

func (e *ownerError) Error() string {
	return "the owner is a name, and a linked copy is made without the image's /etc/passwd: give numbers, or leave the link out"
}

func (e *ownerError) Unwrap() error { return e.err }

// namedOwner returns what BuildKit says of such a copy; nil if err is another.
func namedOwner(step string, err error) error {
	if strings.Contains(err.Error(), "invalid user index") && strings.Contains(step, " --link") {
		return &ownerError{err}
	}
	return nil
}

// help returns what one command or line would help against the failure of a step of the embedded worker.
func help(step string, err error, log []string) advice.Advice {
	text := strings.ToLower(err.Error() + strings.Join(log, "\n"))
	if strings.Contains(text, "no space left on device") {
		return advice.Of(advice.FreeBuilds)
	}
	if id, ok := unmapped(step, err); ok {
		if line := embedded.MoreIDs(id); line != "" {
			return advice.Of(advice.MoreIDs, strconv.FormatInt(id, 10), line)
		}
	}
	return advice.For(err)
}

// unmapped returns the id that a file can't belong to, since it is not mapped.
func unmapped(step string, err error) (id int64, ok bool) {
	text := err.Error()
	if !strings.Contains(text, "chown") || !strings.Contains(text, "invalid argument") {
		return 0, false
	}
	words := regexp.MustCompile(`for UID (\d+), GID (\d+)`).FindStringSubmatch(text)
	if words == nil {
		words = regexp.MustCompile(` --chown=(\d+)(?::(\d+))?`).FindStringSubmatch(step)
	}
	if words == nil {
		return 0, false
	}
	for _, word := range words[1:] {
		if n, err := strconv.ParseInt(word, 10, 64); err == nil {
			id = max(id, n)
		}
	}
	return id, true
}

// excerpt returns the lines of the Dockerfile that err is about, as BuildKit prints them. BuildKit knows only the last
// part of the Dockerfile's path.
func excerpt(path string, err error) []string {
	var b strings.Builder
	for _, source := range errdefs.Sources(err) {
		_ = source.Print(&b) // a builder takes everything
	}
	var lines []string
	for line := range strings.Lines(b.String()) {
		if line = strings.TrimRight(line, "\r\n"); line != "" && strings.Trim(line, "-") != "" {
			lines = append(lines, "  "+line)
		}
	}
	if len(lines) > 0 {
		if at, ok := strings.CutPrefix(lines[0], "  "+filepath.Base(path)+":"); ok {
			lines[0] = fmt.Sprintf("  %s:%s", shown(path), at)
		}
	}
	return lines
}
