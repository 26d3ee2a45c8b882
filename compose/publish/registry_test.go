package publish_test

import (
	"fmt"
	"strings"
	"testing"

	"mtool/compose"
	"mtool/compose/publish"
	"mtool/inspect"
	"mtool/registry"
	"mtool/registry/registrytest"
	"mtool/registry/remote"
)

// open reads a source from a registry, as a command does.
func open(t *testing.T, c *remote.Client, name string) compose.Source {
	t.Helper()
	r := ref(t, name)
	repo := c.Repository(r, remote.Pull)
	m, err := repo.Resolve(t.Context(), r)
	if err != nil {
		t.Fatal(err)
	}
	report, err := inspect.Read(t.Context(), registry.Object{Ref: r, Root: m, Source: repo})
	if err != nil {
		t.Fatal(err)
	}
	return compose.Source{Ref: r, Report: report}
}

func push(t *testing.T, c *remote.Client, l compose.List, to string, o publish.UploadOptions) (publish.Result, error) {
	t.Helper()
	return publish.Upload(t.Context(), upload(t, l, to), c.Repository(ref(t, to), remote.PullPush), o)
}

// A list in the repository of its sources takes two requests for each source, and two more. Across repositories of one
// registry each source also takes one mount per blob and one upload of the child.
func TestPublishRequestCount(t *testing.T) {
	t.Parallel()
	const sources, blobs = 3, 2
	tests := []struct {
		name, target string
		want         int
	}{
		{"in one repository", "src:list", 2*sources + 2},
		{"across repositories", "dst:list", sources*(3+blobs) + 2},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := registrytest.New(t, registrytest.Options{})
			var names []string
			for _, arch := range []string{"amd64", "arm64", "s390x"} {
				s.Load("src", arch, image(arch))
				names = append(names, fmt.Sprintf("%s/src:%s", s.Host(), arch))
			}
			c := remote.NewClient(remote.Options{})
			var ts []compose.Source
			for _, n := range names {
				ts = append(ts, open(t, c, n))
			}
			l := list(t, s.Host()+"/"+tt.target, ts...)
			r, err := push(t, c, l, s.Host()+"/"+tt.target, publish.UploadOptions{})
			if err != nil {
				t.Fatal(err)
			}
			if got := len(s.Requests()); got != tt.want {
				t.Errorf("got %d requests, want %d:\n%s", got, tt.want, strings.Join(s.Requests(), "\n"))
			}
			repo, tag, _ := strings.Cut(tt.target, ":")
			if h, ok := s.Tag(repo, tag); !ok || h != encode(t, l).Digest || !r.Changed {
				t.Errorf("the tag is %s, want %s", h, encode(t, l).Digest)
			}
			s.Forget()
			if r, err = push(t, c, l, s.Host()+"/"+tt.target, publish.UploadOptions{}); err != nil || r.Changed ||
				len(s.Requests()) != 1 {
				t.Errorf("second push: got %+v, %v, %q, want one request", r, err, s.Requests())
			}
		})
	}
}

func TestPublishToRegistry(t *testing.T) {
	t.Parallel()
	from, to := registrytest.New(t, registrytest.Options{}), registrytest.New(t, registrytest.Options{})
	from.Load("src", "v1", attested(image("amd64"), image("arm64")))
	c := remote.NewClient(remote.Options{Attempts: 1})
	source := open(t, c, from.Host()+"/src:v1")
	l := list(t, "demo:v1", source)
	name := to.Host() + "/demo:v1"

	to.Fault(registrytest.Fault{Method: "PUT", Path: "/manifests/", After: 1, Status: 400, Code: "MANIFEST_INVALID"})
	_, err := push(t, c, l, name, publish.UploadOptions{})
	wantError(t, err, registry.ErrRefused, "s")
	if h, ok := to.Tag("demo", "v1"); ok {
		t.Fatalf("the tag is %s, though a child was refused", h)
	}
	r, err := push(t, c, l, name, publish.UploadOptions{Confirm: true})
	if err != nil || !r.Changed {
		t.Fatalf("got %+v, %v", r, err)
	}
	again := open(t, c, name)
	if got := list(t, "demo:v1", again); encode(t, got).Digest != encode(t, l).Digest {
		t.Error("the published list composes to other bytes")
	}

	edited, _, err := compose.FromPublished(again.Report)
	if err != nil {
		t.Fatal(err)
	}
	if edited, _, err = edited.Remove("linux/arm64"); err != nil {
		t.Fatal(err)
	}
	to.Load("demo", "v1", image("s390x")) // a push by another client
	_, err = push(t, c, edited, name, publish.UploadOptions{})
	wantError(t, err, compose.ErrMoved, image("s390x").Digest().String())
	to.Load("demo", "v1", attested(image("amd64"), image("arm64")))
	if _, err = push(t, c, edited, name, publish.UploadOptions{}); err != nil {
		t.Fatal(err)
	}
	if got := open(t, c, name).Report; len(got.Images) != 1 || len(got.Images[0].Attestations) != 1 {
		t.Errorf("got %+v, want one image and its attestation", got.Images)
	}
}
