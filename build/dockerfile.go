package build

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/containerd/platforms"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/moby/buildkit/frontend/dockerfile/instructions"
	"github.com/moby/buildkit/frontend/dockerfile/parser"
	"github.com/moby/buildkit/frontend/dockerfile/shell"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"

	"mtool/inspect/platform"
	"mtool/registry"
	"mtool/registry/regular"
)

// dockerfile is a parsed Dockerfile, before its arguments are known.
type dockerfile struct {
	path   string   // as messages show it
	lines  []string // as written
	stages []instructions.Stage
	args   []instructions.ArgCommand
	lex    *shell.Lex
}

// base is an image that a build starts from or copies from.
type base struct {
	Name     string // as the Dockerfile calls it
	Platform v1.Platform
	// the named build context that replaces it: docker-image://NAME, store:NAME or oci-layout://DIR; "" for none
	Given string
	From  bool // a stage starts from it, so its ONBUILD steps run
}

func (b base) equal(o base) bool {
	return b.Name == o.Name && b.Given == o.Given && platform.Equal(b.Platform, o.Platform)
}

// source returns the name of the image that is actually used.
func (b base) source() string {
	return strings.TrimPrefix(cmp.Or(b.Given, b.Name), "docker-image://")
}

// key identifies an image for a platform.
func (b base) key() string { return b.source() + " " + platform.Format(b.Platform) }

// requirements is what building one platform needs according to the Dockerfile, and the ONBUILD steps of those base
// images whose configs were read.
type requirements struct {
	Bases []base        // without those that are stages, in order, each once
	Runs  []v1.Platform // platforms that RUN steps execute, each once
	// Stages are the platforms of the stages, by the names that BuildKit shows.
	Stages map[string]v1.Platform
	// Secrets are the ids of the secrets that steps require.
	Secrets []string
	// Entitlements are what steps request beyond what every step may do.
	Entitlements []entitlement
	// Unpinned are steps that read what may be something else the next time, or is not known here.
	Unpinned []string
	// Visited are the stages that will be built, by number.
	Visited []visit
}

type visit struct {
	stage int
	on    v1.Platform
	flag  string // in a FROM, which sets the platform; "" for none
}

type entitlement struct {
	name string
	line int
	step string
}

func readDockerfile(s Spec) (*dockerfile, error) {
	path := s.Dockerfile
	text, err := regular.Read(path, regular.MaxText)
	if err != nil {
		return nil, fmt.Errorf("reading Dockerfile: %w", err)
	}
	d, err := parseDockerfile(text)
	if err != nil && s.DockerfileLinked {
		return nil, registry.Usagef("parsing Dockerfile: the link leads to %q, which is not one", path)
	}
	if err != nil {
		return nil, newSyntaxError(path, text, err)
	}
	d.path = shown(path)
	return d, nil
}

// shown shortens a path for messages.
func shown(path string) string {
	dir, err := os.Getwd()
	if err != nil {
		return path
	}
	if short, err := filepath.Rel(dir, path); err == nil && !strings.HasPrefix(short, "..") {
		return short
	}
	return path
}

func parseDockerfile(text []byte) (*dockerfile, error) {
	tree, err := parser.Parse(bytes.NewReader(text))
	if err != nil {
		return nil, err
	}
	stages, args, err := instructions.Parse(tree.AST, nil)
	if err != nil {
		return nil, err
	}
	lines := strings.Split(string(text), "\n")
	return &dockerfile{path: "Dockerfile", lines: lines, stages: stages, args: args, lex: shell.NewLex(tree.EscapeToken)},
		nil
}

// syntaxError is a Dockerfile that can't be parsed, with the wrong line.
type syntaxError struct {
	path, text string
	line       int // from 1; 0 is unknown
	err        error
}

func newSyntaxError(path string, text []byte, err error) error {
	e := &syntaxError{path: shown(path), err: err}
	if at := (*parser.LocationError)(nil); errors.As(err, &at) && len(at.Locations) > 0 && len(at.Locations[0]) > 0 {
		e.line = at.Locations[0][0].Start.Line
	}
	if lines := strings.Split(string(text), "\n"); e.line > 0 && e.line <= len(lines) {
		e.text = strings.TrimRight(lines[e.line-1], "\r")
	}
	return e
}

func (e *syntaxError) Error() string { return strings.Join(e.Lines(), "\n") }

// Lines returns the place and the fault there, then the line, and a caret under its first word.
func (e *syntaxError) Lines() []string {
	if e.line == 0 || strings.TrimSpace(e.text) == "" {
		return []string{fmt.Sprintf("parsing Dockerfile %q: %v", e.path, e.err)}
	}
	text := strings.ReplaceAll(e.text, "\t", " ") // so the caret is below its word
	indent := len(text) - len(strings.TrimLeft(text, " "))
	gutter := fmt.Sprintf("%5d | ", e.line)
	return []string{
		fmt.Sprintf("parsing Dockerfile %q, line %d: %v", e.path, e.line, e.err),
		gutter + text,
		strings.Repeat(" ", len(gutter)+indent) + "^",
	}
}

func (e *syntaxError) Unwrap() []error { return []error{registry.ErrUsage, e.err} }

// inputs are what the requirements depend on.
type inputs struct {
	Target       string // a stage; "" is the last one
	For          v1.Platform
	BuildMachine v1.Platform // BUILDPLATFORM
	BuildArgs    map[string]string
	Contexts     map[string]string // named build contexts
	// Triggers are the ONBUILD steps of base images, by base.key, as far as they are known.
	Triggers map[string][]string
}

// parseTriggers parses the ONBUILD steps of an image or stage.
func (d *dockerfile) parseTriggers(name string, lines []string) (steps []instructions.Command, err error) {
	for _, line := range lines {
		tree, err := parser.Parse(strings.NewReader(line))
		if err != nil {
			return nil, fmt.Errorf("parsing ONBUILD step %q of %q: %w", line, name, err)
		}
		for _, node := range tree.AST.Children {
			step, err := instructions.ParseCommand(node)
			if err != nil {
				return nil, fmt.Errorf("parsing ONBUILD step %q of %q: %w", line, name, err)
			}
			steps = append(steps, step)
		}
	}
	return steps, nil
}

// stage returns the stage before number limit with that name or, as in COPY --from, that number; -1 if there is none.
func (d *dockerfile) stage(name string, limit int) int {
	if i := d.named(name, limit); i >= 0 {
		return i
	}
	if n, err := strconv.Atoi(name); err == nil && n >= 0 && n < limit {
		return n
	}
	return -1
}

// named returns the last stage of that name before number limit; -1 if there is none.
func (d *dockerfile) named(name string, limit int) int {
	for i := limit - 1; i >= 0 && name != ""; i-- {
		if strings.EqualFold(d.stages[i].Name, name) {
			return i
		}
	}
	return -1
}

// label returns what BuildKit calls a stage in the names of its steps.
func (d *dockerfile) label(i int) string {
	if name := d.stages[i].Name; name != "" {
		return name
	}
	return "stage-" + strconv.Itoa(i)
}

// globals returns the arguments that FROM lines see: the platforms, and those set before the first FROM.
func (d *dockerfile) globals(q inputs) (variables, error) {
	env := variables{}
	env.setPlatform("TARGET", q.For)
	env.setPlatform("BUILD", q.BuildMachine)
	for name := range env {
		if v, ok := q.BuildArgs[name]; ok {
			env[name] = v
		}
	}
	for _, line := range d.args {
		for _, arg := range line.Args {
			if v, ok := q.BuildArgs[arg.Key]; ok {
				env[arg.Key] = v
			} else if arg.Value != nil {
				v, _, err := d.lex.ProcessWord(*arg.Value, env)
				if err != nil {
					return nil, registry.Usagef("expanding %q: %w", *arg.Value, err)
				}
				env[arg.Key] = v
			}
		}
	}
	return env, nil
}

// variables is a shell.EnvGetter.
type variables map[string]string

func (v variables) Get(name string) (string, bool) { s, ok := v[name]; return s, ok }

func (v variables) Keys() []string {
	names := make([]string, 0, len(v))
	for name := range v {
		names = append(names, name)
	}
	return names
}

// setPlatform sets what BuildKit calls the platform arguments in the global scope.
// https://docs.docker.com/reference/dockerfile/#automatic-platform-args-in-the-global-scope
func (v variables) setPlatform(prefix string, p v1.Platform) {
	v[prefix+"PLATFORM"], v[prefix+"OS"], v[prefix+"ARCH"], v[prefix+"VARIANT"] = platform.Format(p), p.OS,
		p.Architecture, p.Variant
}

// spec converts p for BuildKit.
func spec(p v1.Platform) ocispecs.Platform {
	return platforms.Normalize(ocispecs.Platform{
		OS: p.OS, Architecture: p.Architecture, Variant: p.Variant, OSVersion: p.OSVersion, OSFeatures: p.OSFeatures,
	})
}
