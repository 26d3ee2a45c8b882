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

// If another client moves a tag between the lookup and the write, a registry that honours conditions keeps its tag.
// Others overwrite it.
func TestConditions(t *testing.T) {
	t.Parallel()
	honours, ignores := registrytest.Options{Conditional: true}, registrytest.Options{}
	ours, theirs, old := tiny("arm64"), tiny("s390x"), tiny("amd64")
	moveTag := registrytest.Fault{Method: "PUT", Path: "/manifests/v1", Move: "theirs"}
	lost := registrytest.Fault{Method: "PUT", Path: "/manifests/v1", LoseResponse: true}
	foreign := registrytest.Fault{Method: "PUT", Path: "/manifests/v1", Status: 412, Code: "PRECONDITION_FAILED"}
	for name, tt := range map[string]struct {
		options registrytest.Options
		before  *registrytest.Built // v1 at first
		fault   *registrytest.Fault
		want    registrytest.Built // v1 at the end
		words   string             // of the error, "" for none
	}{
		"unchanged": {honours, &old, nil, ours, ""},
		"new":       {honours, nil, nil, ours, ""},
		"moved":     {honours, &old, &moveTag, theirs, "and is " + theirs.Digest().String() + " now"},
		"created by another client": {
			honours, nil, &moveTag, theirs,
			"was not there when it was looked up, and is " + theirs.Digest().String() + " now",
		},
		"moved, condition ignored": {ignores, &old, &moveTag, ours, ""},
		"written, response lost":   {honours, &old, &lost, ours, ""},
		"created, response lost":   {honours, nil, &lost, ours, ""},
		"unexpected 412":           {ignores, &old, &foreign, ours, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := registrytest.New(t, tt.options)
			s.Load("demo", "theirs", theirs)
			s.Load("demo", "ours", ours) // for its blobs
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
			if tt.words == "" && err != nil ||
				tt.words != "" && (!errors.Is(err, registry.ErrConflict) || !strings.Contains(err.Error(), tt.words)) {
				t.Errorf("got error %v, want %q", err, tt.words)
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
