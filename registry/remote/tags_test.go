package remote_test

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"mtool/registry"
	"mtool/registry/registrytest"
	"mtool/registry/remote"
)

func TestTags(t *testing.T) {
	t.Parallel()
	s := registrytest.New(t, registrytest.Options{PageSize: 2})
	b := registrytest.Image(registrytest.ImageSpec{Platform: v1.Platform{OS: "linux", Architecture: "amd64"}})
	want := []string{"1.0.0", "1.0.1", "1.1", "2", "latest"}
	for _, tag := range want {
		s.Load("demo", tag, b)
	}
	c := remote.NewClient(remote.Options{})
	for repo, kind := range map[string]error{"demo": nil, "none": registry.ErrNotFound} {
		ref, err := registry.ParseRef(s.Host() + "/" + repo)
		if err != nil {
			t.Fatal(err)
		}
		got, err := c.Repository(ref, remote.Pull).Tags(t.Context())
		if !errors.Is(err, kind) || kind == nil && !slices.Equal(got, want) {
			t.Errorf("%s: got %q, %v, want %q, %v", repo, got, err, want, kind)
		}
	}
}

// A list of tags without a last page is an error.
func TestEndlessPages(t *testing.T) {
	t.Parallel()
	for name, page := range map[string]string{
		"empty": `{"tags":[]}`,
		"large": `{"tags":[` + strings.Repeat(`"a",`, 100_000) + `"b"]}`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			pages := 0
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				pages++
				w.Header().Set("Link", fmt.Sprintf(`</v2/demo/tags/list?page=%d>; rel="next"`, pages))
				_, _ = io.WriteString(w, page)
			}))
			t.Cleanup(server.Close)
			ref, err := registry.ParseRef(strings.TrimPrefix(server.URL, "http://") + "/demo")
			if err != nil {
				t.Fatal(err)
			}
			_, err = remote.NewClient(remote.Options{}).Repository(ref, remote.Pull).Tags(t.Context())
			if !errors.Is(err, registry.ErrContent) || !strings.Contains(err.Error(), "the list does not end") {
				t.Errorf("after %d pages: %v", pages, err)
			}
		})
	}
}
