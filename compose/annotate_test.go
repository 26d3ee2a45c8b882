package compose_test

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"mtool/compose"
	"mtool/registry"
	"mtool/registry/registrytest"
)

func TestAnnotatePlatform(t *testing.T) {
	t.Parallel()
	base := list(t, "demo:v1",
		sourceOf(t, image("amd64"), "demo:amd"), sourceOf(t, image("arm64/v8"), "demo:arm"),
		sourceOf(t, registrytest.Image(registrytest.ImageSpec{Platform: linux("arm", "")}), "demo:arm32"))
	tests := []struct {
		name     string
		selector string
		edit     compose.Edit
		want     v1.Platform
		action   compose.Action
		err      error
		words    string
	}{
		{
			name: "add a variant", selector: "linux/arm", edit: compose.Edit{Variant: "v6"}, want: linux("arm", "v6"),
			action: compose.Edited,
		},
		{
			name: "alias with variant", selector: "linux/arm", edit: compose.Edit{Arch: "armv6"}, want: linux("arm", "v6"),
			action: compose.Edited,
		},
		{
			name: "plain arch keeps the variant", selector: "linux/arm64", edit: compose.Edit{Arch: "arm64"},
			want: linux("arm64", "v8"), action: compose.Unchanged,
		},
		{
			name: "another spelling of the same arch", selector: "linux/arm64", edit: compose.Edit{Arch: "aarch64"},
			want: linux("arm64", "v8"), action: compose.Unchanged,
		},
		{
			name: "os.version", selector: "linux/amd64", edit: compose.Edit{OSVersion: "5.10"},
			want: v1.Platform{OS: "linux", Architecture: "amd64", OSVersion: "5.10"}, action: compose.Edited,
		},
		{
			name: "os.features", selector: "linux/amd64", edit: compose.Edit{OSFeatures: []string{"b", "a"}},
			want: v1.Platform{OS: "linux", Architecture: "amd64", OSFeatures: []string{"b", "a"}}, action: compose.Edited,
		},
		{
			name: "unset the variant", selector: "linux/arm64", edit: compose.Edit{Unset: []string{"variant"}},
			want: linux("arm64", ""), action: compose.Edited,
		},
		{
			name: "contradiction", selector: "linux/amd64", edit: compose.Edit{Arch: "s390x"}, err: compose.ErrPlatform,
			words: "the config of the image says linux/amd64",
		},
		{
			name: "contradiction, forced", selector: "linux/amd64", edit: compose.Edit{Arch: "s390x", Force: true},
			want: linux("s390x", ""), action: compose.Edited,
		},
		{
			name: "another arch removes the variant", selector: "linux/arm64",
			edit: compose.Edit{Arch: "ppc64le", Force: true}, want: linux("ppc64le", ""), action: compose.Edited,
		},
		{
			name: "unknown arch", selector: "linux/amd64", edit: compose.Edit{Arch: "arm46"}, err: registry.ErrUsage,
			words: "arm46",
		},
		{
			name: "unknown arch, forced", selector: "linux/amd64", edit: compose.Edit{Arch: "loong32", Force: true},
			want: linux("loong32", ""), action: compose.Edited,
		},
		{
			name: "unknown variant", selector: "linux/amd64", edit: compose.Edit{Variant: "v99"}, err: registry.ErrUsage,
			words: "v99",
		},
		{
			name: "os alone", selector: "linux/amd64", edit: compose.Edit{OS: "linux"}, want: linux("amd64", ""),
			action: compose.Unchanged,
		},
		{
			name: "taken by another entry", selector: "linux/amd64", edit: compose.Edit{Arch: "arm64", Force: true},
			err: compose.ErrDuplicate, words: "linux/arm64",
		},
		{name: "nothing", selector: "linux/amd64", err: registry.ErrUsage, words: "nothing to change"},
		{
			name: "no such entry", selector: "linux/mips", edit: compose.Edit{OS: "linux"}, err: compose.ErrNoMatch,
			words: "linux/amd64",
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			at, _ := base.Select(tt.selector)
			out, changes, err := base.Annotate(tt.selector, tt.edit)
			if tt.err != nil {
				wantError(t, err, tt.err, tt.words, tt.selector, "demo:v1")
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if got := out.Entries[at[0]].Platform(); !reflect.DeepEqual(got, tt.want) || changes[0].Action != tt.action {
				t.Errorf("got %+v, %s, want %+v, %s", got, changes[0].Action, tt.want, tt.action)
			}
		})
	}
}

func TestAnnotations(t *testing.T) {
	t.Parallel()
	l := two(t, "demo:v1")
	set := compose.Edit{Annotations: map[string]string{"url": "http://x/?a=b,c&d", "k": ""}}
	l, _, err := l.Annotate("linux/amd64", set)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(l.Entries[0].Row), `"annotations":{"k":"","url":"http://x/?a=b,c&d"}`) {
		t.Errorf("got row %s", l.Entries[0].Row)
	}
	if _, cs, err := l.Annotate("linux/amd64", set); err != nil || actions(cs) != "unchanged" {
		t.Errorf("the same again: got %q, %v", actions(cs), err)
	}
	if _, cs, err := l.Annotate("linux/amd64", compose.Edit{Unset: []string{"absent"}}); err != nil ||
		actions(cs) != "unchanged" {
		t.Errorf("unset of an absent annotation: got %q, %v", actions(cs), err)
	}
	back, _, err := l.Annotate("linux/amd64", compose.Edit{Unset: []string{"url", "k"}})
	if err != nil || strings.Contains(string(back.Entries[0].Row), "annotations") {
		t.Errorf("unset of all: got row %s, %v", back.Entries[0].Row, err)
	}
	for _, d := range []compose.Edit{
		{Annotations: map[string]string{"": "v"}},
		{Unset: []string{""}},
		{Annotations: map[string]string{"k": "v"}, Unset: []string{"k"}},
	} {
		_, _, err := l.Annotate("linux/amd64", d)
		wantError(t, err, registry.ErrUsage)
		_, _, err = l.AnnotateList(d)
		wantError(t, err, registry.ErrUsage)
	}
}

func TestAnnotateList(t *testing.T) {
	t.Parallel()
	l := two(t, "demo:v1")
	before := encode(t, l)
	out, changes, err := l.AnnotateList(
		compose.Edit{Annotations: map[string]string{"org.opencontainers.image.title": "demo"}})
	if err != nil || actions(changes) != "edited" || changes[0].String() != "list: edited" {
		t.Fatalf("got %v, %v", changes, err)
	}
	if m := encode(t, out); !strings.HasSuffix(string(m.Body),
		`"annotations":{"org.opencontainers.image.title":"demo"}}`) {
		t.Errorf("got %s", m.Body)
	}
	back, _, err := out.AnnotateList(compose.Edit{Unset: []string{"org.opencontainers.image.title"}})
	if err != nil || encode(t, back).Digest != before.Digest {
		t.Errorf("setting and unsetting an annotation changed the list: %v", err)
	}
	_, _, err = l.AnnotateList(compose.Edit{Arch: "arm64"})
	wantError(t, err, registry.ErrUsage, "a list has no platform")
}

// A row keeps every unknown member, in its order and spelling.
func TestEditsKeepUnknownMembers(t *testing.T) {
	t.Parallel()
	digest := image("amd64").Digest().String()
	e, err := compose.NewEntry(json.RawMessage(`{ "x-first": 1.50e1, "digest": "` + digest + `", "size": 7,
		"mediaType": "application/vnd.oci.image.manifest.v1+json", "x\u002dodd": "\u00e9<",
		"platform": {"x-in": [1, 2], "os": "linux", "architecture": "arm"}, "annotations": {"z": "1", "a": "2"}, "urls": []}`))
	if err != nil {
		t.Fatal(err)
	}
	l := compose.List{Name: ref(t, "demo:v1"), Entries: []compose.Entry{e}}
	l, _, err = l.Annotate(digest,
		compose.Edit{Variant: "v6", Annotations: map[string]string{"n": "3"}, Unset: []string{"z"}})
	if err != nil {
		t.Fatal(err)
	}
	want := `{"x-first":1.50e1,"digest":"` + digest + `","size":7,` +
		`"mediaType":"application/vnd.oci.image.manifest.v1+json","x\u002dodd":"\u00e9<",` +
		`"platform":{"x-in":[1,2],"os":"linux","architecture":"arm","variant":"v6"},"annotations":{"a":"2","n":"3"},"urls":[]}`
	if got := string(l.Entries[0].Row); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestNewEntryRefuses(t *testing.T) {
	t.Parallel()
	for _, row := range []string{``, `[]`, `"x"`, `{`, `{}`, `{"digest":"sha256:12"}`, `{"digest":7}`, `null`} {
		if e, err := compose.NewEntry(json.RawMessage(row)); err == nil {
			t.Errorf("NewEntry(%q) = %+v, want an error", row, e)
		}
	}
}
