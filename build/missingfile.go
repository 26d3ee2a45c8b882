package build

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/moby/buildkit/solver/errdefs"
)

// missingFileError is a file that COPY or ADD names and that is not where it is looked for.
type missingFileError struct {
	file, from string // from is a stage, an image or a named context; "" for the build context
	err        error  // BuildKit's
}

func (e *missingFileError) Error() string {
	if e.from != "" {
		return fmt.Sprintf("%s is not in %q", e.file, e.from)
	}
	return e.file + " is not in the build context (or .dockerignore excludes it)"
}

func (e *missingFileError) Unwrap() error { return e.err }

// missingFile returns what BuildKit says of such a file, as a checksum that could not be made; nil where err is
// another.
func missingFile(step string, err error) error {
	words := regexp.MustCompile(`failed to calculate checksum of ref \S+: (".*"): not found`).FindStringSubmatch(err.Error())
	if words == nil {
		return nil
	}
	e := &missingFileError{file: words[1], err: err}
	if from := regexp.MustCompile(` --from=(\S+)`).FindStringSubmatch(step); from != nil {
		e.from = from[1]
	}
	return e
}

// excerpt returns the lines of the Dockerfile that err is about, as BuildKit prints them.
func excerpt(err error) []string {
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
	return lines
}
