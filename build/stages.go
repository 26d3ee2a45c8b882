package build

import (
	"path"
	"slices"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/moby/buildkit/frontend/dockerfile/instructions"

	"mtool/build/advice"
	"mtool/inspect/platform"
	"mtool/registry"
)

// walk visits the stages that a target needs.
type walk struct {
	d      *dockerfile
	env    variables
	target v1.Platform

	contexts map[string]string   // they replace stages and images of these names
	triggers map[string][]string // of base images, by base.key
	seen     []bool              // by stage
	found    requirements
}

// stage visits stage number i.
func (w *walk) stage(i int) error {
	if w.seen[i] {
		return nil
	}
	w.seen[i] = true
	on, flag, err := w.platform(i)
	if err != nil {
		return err
	}
	if given, ok := w.contexts[strings.ToLower(w.d.stages[i].Name)]; ok {
		w.given(w.d.stages[i].Name, given, on)
		return nil
	}
	w.found.Visited = append(w.found.Visited, visit{i, on, flag})
	w.found.Stages[w.d.label(i)] = on
	triggers, err := w.from(i, on)
	if err != nil {
		return err
	}
	return w.commands(i, on, slices.Concat(triggers, w.d.stages[i].Commands))
}

// platform returns the platform of a stage, and the flag in a FROM that sets it. BuildKit ignores the flag of a stage
// that starts from another one: such a stage has the platform of that one.
func (w *walk) platform(i int) (on v1.Platform, flag string, err error) {
	s := w.d.stages[i]
	name, err := w.expand(s.BaseName)
	if err != nil {
		return on, "", err
	}
	_, replaced := w.contexts[strings.ToLower(s.Name)]
	if from := w.d.named(name, i); from >= 0 && !replaced {
		return w.platform(from)
	}
	if s.Platform == "" {
		return w.target, "", nil
	}
	text, err := w.expand(s.Platform)
	if err != nil {
		return on, "", err
	}
	if on, err = platform.Parse(text); err != nil {
		return on, "", registry.Usagef("%q: %w", s.SourceCode, err)
	}
	return on, s.Platform, nil
}

// from visits what stage i starts from, and returns the ONBUILD steps of it, which run first.
func (w *walk) from(i int, on v1.Platform) ([]instructions.Command, error) {
	name, err := w.expand(w.d.stages[i].BaseName)
	if err != nil {
		return nil, err
	}
	var triggers []string
	if from := w.d.named(name, i); from >= 0 {
		if err := w.stage(from); err != nil {
			return nil, err
		}
		for _, command := range w.d.stages[from].Commands {
			if c, ok := command.(*instructions.OnbuildCommand); ok {
				triggers = append(triggers, c.Expression)
			}
		}
	} else if b, ok := w.image(name, on); ok {
		b.From = true
		w.base(b)
		triggers = w.triggers[b.key()]
	}
	return w.d.parseTriggers(name, triggers)
}

// commands visits what the steps of stage i copy from and mount.
func (w *walk) commands(i int, on v1.Platform, steps []instructions.Command) error {
	for _, command := range steps {
		var from []string
		switch c := command.(type) {
		case *instructions.AddCommand:
			w.found.Unpinned = append(w.found.Unpinned, unpinned(c)...)
		case *instructions.CopyCommand:
			from = append(from, c.From)
		case *instructions.RunCommand:
			w.runs(on)
			w.entitlements(c)
			// Mounts are parsed completely, words without a value included, only when they are expanded. If that fails for a
			// variable of the stage, the parts without it are used.
			_ = c.Expand(func(word string) (string, error) { return word, nil })
			for _, m := range instructions.GetMounts(c) {
				from = append(from, m.From)
				if m.Type == instructions.MountTypeSecret && m.Required {
					w.found.Secrets = append(w.found.Secrets, secretOf(m))
				}
			}
		}
		for _, name := range from {
			if strings.Contains(name, "$") { // a stage's variables are not known here
				w.found.Unpinned = append(w.found.Unpinned, "from="+name)
				continue
			}
			if name == "" {
				continue
			}
			if err := w.source(name, i, w.target); err != nil {
				return err
			}
		}
	}
	return nil
}

// secretOf returns the id of a secret mount; the default is the last part of its path.
func secretOf(m *instructions.Mount) string {
	if m.CacheID != "" {
		return m.CacheID
	}
	return path.Base(m.Target)
}

// source visits the stage of that name, or else records an image of that name for the platform on.
func (w *walk) source(name string, before int, on v1.Platform) error {
	if i := w.d.stage(name, before); i >= 0 {
		return w.stage(i)
	}
	if b, ok := w.image(name, on); ok {
		w.base(b)
	}
	return nil
}

// image returns the base image of that name, or of the named build context that replaces it; false means that it is
// empty, or a directory.
func (w *walk) image(name string, on v1.Platform) (base, bool) {
	given, ok := w.contexts[contextKey(name)]
	if ok {
		return base{Name: name, Platform: on, Given: given}, isImage(given)
	}
	return base{Name: name, Platform: on}, name != "scratch"
}

// given uses a named build context instead of an image; a directory needs no image.
func (w *walk) given(name, given string, on v1.Platform) {
	if isImage(given) {
		w.base(base{Name: name, Platform: on, Given: given})
	}
}

func (w *walk) base(b base) {
	if i := slices.IndexFunc(w.found.Bases, b.equal); i >= 0 {
		w.found.Bases[i].From = w.found.Bases[i].From || b.From
		return
	}
	w.found.Bases = append(w.found.Bases, b)
}

// entitlements records what a step requests beyond what every step may do.
func (w *walk) entitlements(c *instructions.RunCommand) {
	asks := func(name string) {
		w.found.Entitlements = append(w.found.Entitlements, entitlement{name, first(c.Location()), c.String()})
	}
	if instructions.GetNetwork(c) == instructions.NetworkHost {
		asks(AllowNetworkHost)
	}
	if instructions.GetSecurity(c) == instructions.SecurityInsecure {
		asks(AllowInsecure)
	}
}

func (w *walk) runs(on v1.Platform) {
	if !slices.ContainsFunc(w.found.Runs, func(o v1.Platform) bool { return platform.Equal(o, on) }) {
		w.found.Runs = append(w.found.Runs, on)
	}
}

func (w *walk) expand(word string) (string, error) {
	text, _, err := w.d.lex.ProcessWord(word, w.env)
	if err != nil {
		return "", registry.Usagef("expanding %q: %w", word, err)
	}
	return text, nil
}

// checkSecrets refuses a build whose steps need a secret that is not given.
func checkSecrets(given []Secret, needed []string) error {
	for _, id := range needed {
		if !slices.ContainsFunc(given, func(s Secret) bool { return s.ID == id }) {
			return advice.With(registry.Usagef("the Dockerfile needs secret %q", id), advice.Of(advice.GiveSecret, id))
		}
	}
	return nil
}

// checkEntitlements refuses a build whose steps request what the user does not allow.
func (d *dockerfile) checkEntitlements(s Spec, needed []entitlement) error {
	for _, e := range needed {
		if !slices.Contains(s.Allow, e.name) && (e.name != AllowNetworkHost || s.Network != "host") {
			return advice.With(registry.Usagef("%s:%d: %q requests %s, which is not allowed", d.path, e.line, e.step, e.name),
				advice.Of(advice.Allow, e.name))
		}
	}
	return nil
}

// inputsOf returns the inputs for one platform of a job.
func inputsOf(job Job, target, buildMachine v1.Platform) inputs {
	return inputs{
		Target: job.Spec.Target, For: target, BuildMachine: buildMachine, BuildArgs: job.Spec.BuildArgs,
		Contexts: contextKeys(job.Spec.Contexts),
	}
}

// requirements walks from the target stage through the stages that it needs. What only other stages need does not
// count.
func (d *dockerfile) requirements(q inputs) (requirements, error) {
	env, err := d.globals(q)
	if err != nil {
		return requirements{}, err
	}
	start := len(d.stages) - 1
	if q.Target != "" {
		if start = d.stage(q.Target, len(d.stages)); start < 0 {
			return requirements{}, registry.Usagef("target %q is no stage of the Dockerfile", q.Target)
		}
	}
	w := walk{
		d: d, env: env, target: q.For, contexts: q.Contexts, triggers: q.Triggers, seen: make([]bool, len(d.stages)),
		found: requirements{Stages: map[string]v1.Platform{}},
	}
	err = w.stage(start)
	return w.found, err
}
