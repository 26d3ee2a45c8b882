package publish_test

import (
	"strings"
	"testing"

	"mtool/compose"
	"mtool/compose/publish"
	"mtool/inspect"
	"mtool/registry"
	"mtool/registry/registrytest"
	"mtool/registry/remote"
)

// TestGuards covers which changes of a tag are allowed, and the options that allow more.
func TestGuards(t *testing.T) {
	t.Parallel()
	both, one, other := registrytest.ListOf(image("amd64"), image("arm64")), registrytest.ListOf(image("amd64")),
		registrytest.ListOf(image("s390x"))
	tests := []struct {
		name        string
		before, now registrytest.Built
		copied      bool
		options     publish.Options
		err         error
		state       publish.State
	}{
		{name: "more platforms", before: one, now: both, state: publish.Written},
		{name: "the same", before: both, now: both, state: publish.Unchanged},
		{name: "fewer", before: both, now: one, err: publish.ErrDropped},
		{name: "fewer, by force", before: both, now: one, options: publish.Options{Force: true}, state: publish.Written},
		{
			name: "fewer, and dropping is allowed", before: both, now: one, options: publish.Options{MayDrop: true},
			state: publish.Written,
		},
		{
			name: "fewer, with those required", before: both, now: one, options: publish.Options{Require: platforms("amd64")},
			state: publish.Written,
		},
		{
			name: "without those required", before: both, now: one, options: publish.Options{Require: platforms("arm64")},
			err: inspect.ErrMismatch,
		},
		{name: "fewer, a list copied as it is", before: both, now: one, copied: true, state: publish.Written},
		{name: "an image over a list", before: both, now: image("amd64"), copied: true, err: publish.ErrOverwrite},
		{
			name: "an image over a list, by force", before: both, now: image("amd64"), copied: true,
			options: publish.Options{Force: true}, state: publish.Written,
		},
		{
			name: "no-clobber, the tag exists", before: one, now: both, options: publish.Options{NoClobber: true},
			err: publish.ErrTaken,
		},
		{
			name: "no-clobber, the tag may move", before: one, now: both, options: publish.Options{NoClobber: true, Floating: []string{"v1"}},
			state: publish.Written,
		},
		{
			name: "no-clobber, unchanged", before: both, now: both, options: publish.Options{NoClobber: true},
			state: publish.Unchanged,
		},
		{
			name: "a dry run", before: other, now: both, options: publish.Options{DryRun: true, MayDrop: true},
			state: publish.DryRun,
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := registrytest.New(t, registrytest.Options{})
			s.Load("demo", "v1", tt.before)
			s.Load("src", "v1", tt.now)
			p := publish.Publisher{Client: remote.NewClient(remote.Options{})}
			to, from := ref(t, s.Host()+"/demo:v1"), ref(t, s.Host()+"/src:v1")
			_, report, err := p.Read(t.Context(), from)
			if err != nil {
				t.Fatal(err)
			}
			plan, err := compose.PlanOf(report, []registry.Ref{to})
			if !tt.copied {
				plan, err = compose.NewPlan(list(t, to.Name(), compose.Source{Ref: from, Report: report}), []registry.Ref{to})
			}
			if err != nil {
				t.Fatal(err)
			}
			done, err := p.Publish(t.Context(), plan, tt.options)
			want := plan.Root.Digest
			if tt.err != nil {
				wantError(t, err, tt.err)
			} else if err != nil || done.Targets[0].State != tt.state {
				t.Fatalf("got %+v, %v, want %s", done.Targets, err, tt.state)
			}
			if tt.err != nil || tt.options.DryRun {
				want = tt.before.Digest()
			}
			if got, _ := s.Tag("demo", "v1"); got != want {
				t.Errorf("the tag is %s, want %s", got, want)
			}
		})
	}
}

// When a guard refuses one of several targets, its tag stays and nothing is sent to it. The others get the list.
func TestOneOfSeveralTargets(t *testing.T) {
	t.Parallel()
	s := registrytest.New(t, registrytest.Options{})
	s.Load("kept", "v1", registrytest.ListOf(image("amd64"), image("arm64")))
	s.Load("src", "v1", registrytest.ListOf(image("amd64")))
	var notes []string
	p := publish.Publisher{
		Client: remote.NewClient(remote.Options{}),
		Note:   func(line string) { notes = append(notes, line) },
	}
	from := ref(t, s.Host()+"/src:v1")
	_, report, err := p.Read(t.Context(), from)
	if err != nil {
		t.Fatal(err)
	}
	targets := refs(t, s.Host()+"/kept:v1", s.Host()+"/new:v1", s.Host()+"/new:latest")
	plan, err := compose.NewPlan(list(t, "demo:v1", compose.Source{Ref: from, Report: report}), targets)
	if err != nil {
		t.Fatal(err)
	}
	done, err := p.Publish(t.Context(), plan, publish.Options{})
	wantError(t, err, publish.ErrPartial, "2 of 3")
	wantError(t, err, publish.ErrDropped, "kept:v1", "linux/arm64")
	var states []string
	for _, o := range done.Targets {
		states = append(states, string(o.State))
	}
	if got := strings.Join(states, " "); got != "failed written written" || len(done.Made) != 1 {
		t.Errorf("got %s, made %v", got, done.Made)
	}
	for _, q := range s.Requests() {
		if strings.Contains(q, "/kept/") && (strings.HasPrefix(q, "PUT") || strings.HasPrefix(q, "POST")) {
			t.Errorf("request to the refused target: %s", q)
		}
	}
	if len(plan.Uploads) != 2 || len(plan.Uploads[1].Tags) != 2 {
		t.Errorf("the caller's plan was changed: %+v", plan.Uploads)
	}
	if all := strings.Join(notes, "\n"); !strings.Contains(all, "dropped: linux/arm64") ||
		!strings.Contains(all, "new:v1, latest") {
		t.Errorf("got notes %q", notes)
	}
}

// A publisher without other openers takes registries as targets only.
func TestRefusedTargets(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"store:demo:v1", "oci:dir:v1", "docker-daemon:demo:v1"} {
		done, err := publish.Publisher{}.Publish(t.Context(), plan(t, two(t, "demo:v1"), name), publish.Options{})
		wantError(t, err, registry.ErrUsage, name[:5])
		if done.Targets[0].State != publish.Failed {
			t.Errorf("%s: got %+v", name, done.Targets)
		}
	}
}
