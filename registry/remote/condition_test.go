package remote_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"mtool/registry"
	"mtool/registry/registrytest"
	"mtool/registry/remote"
)

// A tag that somebody else moves between the look and the write stays as it is where the registry honours conditions.
// Where it does not, nothing can be done about it.
func TestConditions(t *testing.T) {
	t.Parallel()
	honours, ignores := registrytest.Options{Conditional: true}, registrytest.Options{}
	ours, theirs, old := tiny("arm64"), tiny("s390x"), tiny("amd64")
	move := registrytest.Fault{Method: "PUT", Path: "/manifests/v1", Move: "theirs"}
	lost := registrytest.Fault{Method: "PUT", Path: "/manifests/v1", Lost: true}
	foreign := registrytest.Fault{Method: "PUT", Path: "/manifests/v1", Status: 412, Code: "PRECONDITION_FAILED"}
	for name, tt := range map[string]struct {
		options registrytest.Options
		before  *registrytest.Built // what v1 is
		fault   *registrytest.Fault
		want    registrytest.Built // what v1 is in the end
		says    string             // "": written
	}{
		"as it was": {honours, &old, nil, ours, ""},
		"not there": {honours, nil, nil, ours, ""},
		"moved":     {honours, &old, &move, theirs, "and is " + theirs.Digest().String() + " now"},
		"made meanwhile": {
			honours, nil, &move, theirs,
			"was not there when it was looked up, and is " + theirs.Digest().String() + " now",
		},
		"moved, and not honoured":          {ignores, &old, &move, ours, ""},
		"written, and the answer was lost": {honours, &old, &lost, ours, ""},
		"made, and the answer was lost":    {honours, nil, &lost, ours, ""},
		"compared with something else":     {ignores, &old, &foreign, ours, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := registrytest.New(t, tt.options)
			s.Load("demo", "theirs", theirs)
			s.Load("demo", "ours", ours) // its blobs
			was := v1.Hash{}
			if tt.before != nil {
				s.Load("demo", "v1", *tt.before)
				was = tt.before.Digest()
			}
			if tt.fault != nil {
				s.Fault(*tt.fault)
			}
			ref, err := registry.ParseRef(s.Host() + "/demo:v1")
			if err != nil {
				t.Fatal(err)
			}
			r := remote.NewClient(remote.Options{Pause: time.Millisecond}).Repository(ref, remote.PullPush)
			err = r.PutTagIf(t.Context(), "v1", ours.Manifest, was)
			if tt.says == "" && err != nil ||
				tt.says != "" && (!errors.Is(err, registry.ErrConflict) || !strings.Contains(err.Error(), tt.says)) {
				t.Errorf("got error %v, want %q", err, tt.says)
			}
			if digest, _ := s.Tag("demo", "v1"); digest != tt.want.Digest() {
				t.Errorf("the tag is %s, want %s; requests %q", digest, tt.want.Digest(), slices.Compact(s.Requests()))
			}
		})
	}
}

func tiny(arch string) registrytest.Built {
	return registrytest.Image(registrytest.ImageSpec{Platform: v1.Platform{OS: "linux", Architecture: arch}})
}
