package buildkit

import (
	"fmt"
	"slices"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/moby/buildkit/frontend/dockerfile/instructions"

	"mtool/build"
	"mtool/inspect/platform"
)

// walk visits the stages that a target needs.
type walk struct {
	d     *dockerfile
	env   variables
	seen  map[visit]bool
	found needs
}

// visit is one stage for one platform.
type visit struct {
	stage int
	on    string
}

// stage visits stage number i, whose platform is inherited unless its FROM line says one.
func (w *walk) stage(i int, on v1.Platform) error {
	s := w.d.stages[i]
	if s.Platform != "" {
		text, err := w.expand(s.Platform)
		if err != nil {
			return err
		}
		if on, err = platform.Parse(text); err != nil {
			return fmt.Errorf("%w: %q: %w", build.ErrUsage, s.SourceCode, err)
		}
	}
	v := visit{i, platform.Format(on)}
	if w.seen[v] {
		return nil
	}
	w.seen[v] = true
	name, err := w.expand(s.BaseName)
	if err != nil {
		return err
	}
	if err := w.source(name, i, on); err != nil {
		return err
	}
	return w.commands(s, i, on)
}

func (w *walk) commands(s instructions.Stage, i int, on v1.Platform) error {
	for _, command := range s.Commands {
		var from []string
		switch c := command.(type) {
		case *instructions.CopyCommand:
			from = append(from, c.From)
		case *instructions.RunCommand:
			w.runs(on)
			for _, m := range instructions.GetMounts(c) {
				from = append(from, m.From)
			}
		}
		for _, name := range from {
			if name == "" || strings.Contains(name, "$") { // BuildKit expands no stage's variables there but its own
				continue
			}
			if err := w.source(name, i, on); err != nil {
				return err
			}
		}
	}
	return nil
}

// source visits the stage of that name, or takes the name for an image's.
func (w *walk) source(name string, before int, on v1.Platform) error {
	if i := w.d.stage(name, before); i >= 0 {
		return w.stage(i, on)
	}
	b := base{Name: name, Platform: on}
	if name != "scratch" && !slices.ContainsFunc(w.found.Bases, func(o base) bool { return o.Name == name && platform.Equal(o.Platform, on) }) {
		w.found.Bases = append(w.found.Bases, b)
	}
	return nil
}

func (w *walk) runs(on v1.Platform) {
	if !slices.ContainsFunc(w.found.Runs, func(o v1.Platform) bool { return platform.Equal(o, on) }) {
		w.found.Runs = append(w.found.Runs, on)
	}
}

func (w *walk) expand(word string) (string, error) {
	text, _, err := w.d.lex.ProcessWord(word, w.env)
	if err != nil {
		return "", fmt.Errorf("%w: expanding %q: %w", build.ErrUsage, word, err)
	}
	return text, nil
}
