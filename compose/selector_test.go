package compose_test

import (
	"fmt"
	"strings"
	"testing"

	"mtool/compose"
	"mtool/registry/registrytest"
)

func selectable(t *testing.T) compose.List {
	t.Helper()
	attested := registrytest.List(registrytest.ListSpec{
		Entries: []registrytest.Entry{{Built: image("arm/v6")}, {Built: image("arm/v7")}}, Attested: true,
	})
	return list(t, "demo:v1", sourceOf(t, image("amd64"), "demo:amd"), sourceOf(t, attested, "r.example/arm:v1"),
		sourceOf(t, windows("10.0.17763.1"), "demo:w1"), sourceOf(t, windows("10.0.20348.1"), "demo:w2"))
}

func TestSelect(t *testing.T) {
	t.Parallel()
	l := selectable(t)
	digest := l.Entries[2].Digest()
	tests := []struct{ selector, want string }{
		{"linux/amd64", "[0]"},
		{"linux/x86_64", "[0]"},
		{"linux/arm", "[2]"}, // v7, not v6
		{"linux/arm/v6", "[1]"},
		{"windows/amd64", "[3 4]"},
		{"windows/amd64:10.0.20348", "[4]"},
		{digest.String(), "[2]"},
		{digest.Hex[:12], "[2]"},
		{"sha256:" + digest.Hex[:6], "[2]"},
		{digest.Hex[:5], "none"},
		{"demo:amd", "[0]"},
		{"docker.io/library/demo:amd", "[0]"},
		{"store:demo:amd", "[0]"},
		{"r.example/arm:v1", "[1 2]"},
		{"demo", "none"},
		{"linux/mips", "none"},
		{"", "none"},
		{"sha256:" + fmt.Sprintf("%064d", 0), "none"},
	}
	for _, tt := range tests {
		found, err := l.Select(tt.selector)
		if tt.want == "none" {
			wantError(t, err, compose.ErrNoMatch, tt.selector, "linux/arm/v6")
			if byPlatform := strings.Contains(tt.selector, "/"); strings.Contains(err.Error(), digest.String()) == byPlatform {
				t.Errorf("Select(%q): %v, with digests: %t", tt.selector, err, byPlatform)
			}
			continue
		}
		if got := fmt.Sprint(found); got != tt.want || err != nil {
			t.Errorf("Select(%q) = %s, %v, want %s", tt.selector, got, err, tt.want)
		}
	}
}

func TestRemove(t *testing.T) {
	t.Parallel()
	l := selectable(t)
	attestation := l.Entries[1].Attestations[0].Digest().String()
	tests := []struct {
		name      string
		selectors []string
		rows      int // of the encoded list: five images, two attestations
		err       error
	}{
		{"platform", []string{"linux/amd64"}, 6, nil},
		{"with its attestation", []string{"linux/arm/v6"}, 5, nil},
		{"several", []string{"linux/arm/v6", "demo:amd"}, 4, nil},
		{"one entry by two selectors", []string{"linux/amd64", "demo:amd"}, 6, nil},
		{"all of a source", []string{"r.example/arm:v1"}, 3, nil},
		{"an attestation", []string{attestation}, 6, nil},
		{"an attestation and its image", []string{attestation, "linux/arm/v6"}, 5, nil},
		{"ambiguous", []string{"windows/amd64"}, 0, compose.ErrAmbiguous},
		{"one does not match", []string{"linux/amd64", "linux/mips"}, 0, compose.ErrNoMatch},
		{"all", []string{"demo:amd", "r.example/arm:v1", "demo:w1", "demo:w2"}, 0, compose.ErrEmpty},
	}
	before := encode(t, l)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			out, _, err := l.Remove(tt.selectors...)
			if tt.err != nil {
				wantError(t, err, tt.err, "demo:v1")
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if got := len(rows(t, encode(t, out))); got != tt.rows {
				t.Errorf("got %d rows, want %d", got, tt.rows)
			}
			if encode(t, l).Digest != before.Digest {
				t.Error("Remove changed the list it was called on")
			}
		})
	}
	_, _, err := l.Remove("windows/amd64")
	wantHint(t, err, "digest")
	_, _, err = compose.List{Name: l.Name, Entries: l.Entries[:1]}.Remove("linux/amd64")
	wantError(t, err, compose.ErrNothingLeft)
	wantError(t, err, compose.ErrEmpty)
}
