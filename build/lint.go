package build

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/moby/buildkit/frontend/dockerfile/instructions"
	"github.com/moby/buildkit/frontend/dockerfile/parser"

	"mtool/build/advice"
	"mtool/inspect/binary"
	"mtool/inspect/platform"
	"mtool/registry"
)

// The rules that lint checks.
const (
	ruleShadow  = "MT101" // the default of an ARG hides BuildKit's value of a platform argument
	ruleFinal   = "MT102" // the final stage has a fixed platform, or the build machine's
	ruleLiteral = "MT103" // a step of a stage for one architecture names another one
	ruleCache   = "MT104" // steps for several platforms use one cache mount at the same time
)

// lint looks for steps that put files of one platform into an image of another. It checks only stages that will be
// built, each for its platforms, so stages like "build-amd64" may name their architecture.
func (d *dockerfile) lint(targets []v1.Platform, all []requirements) []Warning {
	l := linting{d: d}
	for _, line := range d.args {
		l.shadow(&line)
	}
	for i, target := range targets {
		for _, v := range all[i].Visited {
			l.stage(v, target)
		}
		if visited := all[i].Visited; len(visited) > 0 { //nolint:gosec // one for each target
			l.final(visited[0], target)
		}
	}
	l.caches(all)
	slices.SortStableFunc(l.found, func(a, b Warning) int { return cmp.Compare(a.Line, b.Line) })
	return l.found
}

type linting struct {
	d     *dockerfile
	found []Warning
}

func (l *linting) warn(rule string, line int, format string, args ...any) {
	w := Warning{Rule: rule, File: l.d.path, Line: line, Text: fmt.Sprintf(format, args...)}
	if !slices.Contains(l.found, w) {
		l.found = append(l.found, w)
	}
}

// shadow finds defaults of the arguments that BuildKit sets.
// https://docs.docker.com/reference/dockerfile/#automatic-platform-args-in-the-global-scope
func (l *linting) shadow(c *instructions.ArgCommand) {
	for _, arg := range c.Args {
		if strings.HasPrefix(arg.Key, "TARGET") && arg.Value != nil && *arg.Value != "" && isPlatformArg(arg.Key) {
			l.warn(ruleShadow, first(c.Location()), "ARG %s=%s hides the value of each platform: write ARG %s", arg.Key,
				*arg.Value, arg.Key)
		}
	}
}

func isPlatformArg(key string) bool {
	_, name, _ := strings.Cut(key, "TARGET")
	return slices.Contains([]string{"PLATFORM", "OS", "ARCH", "VARIANT"}, name)
}

// final checks whether the final stage is, or on another machine would be, built for another platform.
func (l *linting) final(v visit, target v1.Platform) {
	if platform.Equal(v.on, target) && !strings.Contains(v.flag, "BUILDPLATFORM") {
		return
	}
	l.warn(ruleFinal, first(l.d.stages[v.stage].Location),
		"the final stage is built for %s, not for the target (%s): leave the platform out of its FROM",
		cmp.Or(v.flag, platform.Format(v.on)), platform.Format(target))
}

func (l *linting) stage(v visit, target v1.Platform) {
	for _, command := range l.d.stages[v.stage].Commands {
		switch c := command.(type) {
		case *instructions.ArgCommand:
			l.shadow(c)
		case *instructions.RunCommand, *instructions.CopyCommand, *instructions.AddCommand, *instructions.EnvCommand:
			l.literal(command.Location(), v, target)
		}
	}
}

var (
	// asks matches a step that branches on the platform, so it may name some.
	asks = sync.OnceValue(func() *regexp.Regexp {
		return regexp.MustCompile(
			`TARGET(PLATFORM|ARCH|OS|VARIANT)|BUILDARCH|BUILDPLATFORM|uname|print-architecture|(^|[^a-z])arch\)|\$\(arch`)
	})
	// crosses matches a cross compiler, which may name an architecture wherever it runs.
	crosses = sync.OnceValue(func() *regexp.Regexp {
		return regexp.MustCompile(`(?i)(GOARCH|CARGO_BUILD_TARGET|--target|-march)[= ]`)
	})
)

// assigned matches the name that a word is assigned to, in the text before the word.
var assigned = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`([A-Za-z0-9_]+)=[^=\s]*$`) })

// isSetting reports whether the variable that the word is assigned to names the same machine, so it is a setting for
// that machine alone: CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_LINKER=aarch64-linux-gnu-gcc.
func isSetting(before string, m binary.Machine) bool {
	found := assigned().FindStringSubmatch(before)
	return found != nil &&
		slices.ContainsFunc(binary.NamedIn(found[1]), func(n binary.Machine) bool { return n.Is(m.Arch()) })
}

// crossCompilers are the prefixes of Debian's and others' cross compilers.
var crossCompilers = []string{"gcc-", "g++-", "gfortran-", "binutils-", "crossbuild-essential-"}

// preparesAll reports whether a step on the build machine's platform names several machines, as one that installs
// compilers for all of them does, or a compiler.
func (l *linting) preparesAll(v visit, lines []sourceLine) bool {
	if !strings.Contains(v.flag, "BUILDPLATFORM") {
		return false
	}
	named := map[string]bool{}
	for _, line := range lines {
		for _, m := range binary.NamedIn(line.text) {
			from, _ := m.Span()
			for _, compiler := range crossCompilers {
				if strings.HasSuffix(line.text[:from], compiler) {
					return true
				}
			}
			if !m.Vague && binary.ForImages(m.Arch()) {
				named[m.Arch()] = true
			}
		}
	}
	return len(named) > 1
}

// literal finds names of architectures other than the target's.
func (l *linting) literal(at []parser.Range, v visit, target v1.Platform) {
	lines := l.lines(at)
	if l.preparesAll(v, lines) {
		return
	}
	for _, line := range lines {
		if asks().MatchString(line.text) {
			return
		}
	}
	for _, line := range lines {
		for _, m := range binary.NamedIn(line.text) {
			from, to := m.Span()
			variable := strings.HasPrefix(line.text[to:], "_") // amd64_url
			if m.Vague || variable || !binary.ForImages(m.Arch()) || m.Is(target.Architecture) ||
				isSetting(line.text[:from], m) {
				continue
			}
			if ownTools := m.Is(v.on.Architecture) && !crosses().MatchString(line.text); !ownTools {
				l.warn(ruleLiteral, line.number, "%q in a step for %s", line.text[from:to], platform.Format(target))
			}
		}
	}
}

type sourceLine struct {
	number int // from 1
	text   string
}

// lines returns the lines of a command, with here-documents and without comments.
func (l *linting) lines(at []parser.Range) (lines []sourceLine) {
	for _, r := range at {
		for n := r.Start.Line; n <= r.End.Line && n <= len(l.d.lines); n++ {
			if text := l.d.lines[n-1]; n > 0 && !strings.HasPrefix(strings.TrimSpace(text), "#") {
				lines = append(lines, sourceLine{n, text})
			}
		}
	}
	return lines
}

func first(at []parser.Range) int {
	if len(at) == 0 {
		return 0
	}
	return at[0].Start.Line
}

// Warning is a place in a Dockerfile that makes, or may make, an image differ from its platform.
type Warning struct {
	Rule string // MT101 …, or the name of one of BuildKit's rules
	File string
	Line int // from 1
	Text string
}

func (w Warning) String() string { return fmt.Sprintf("%s:%d: %s: %s", w.File, w.Line, w.Rule, w.Text) }

// StrictError are the warnings of a Dockerfile if Spec.Strict makes them errors.
type StrictError struct{ Warnings []Warning }

func (e *StrictError) Error() string { return strings.Join(e.Lines(), "\n") }

// Lines are the warnings.
func (e *StrictError) Lines() []string {
	lines := make([]string, len(e.Warnings))
	for i, w := range e.Warnings {
		lines[i] = w.String()
	}
	return lines
}

// Unwrap makes it a failed check of content.
func (e *StrictError) Unwrap() error { return registry.ErrContent }

// Advised returns what would help.
func (e *StrictError) Advised() advice.Advice { return advice.Of(advice.NotStrict) }
