package platform

import (
	"reflect"
	"slices"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// Every platform of the tables is valid, and parses to its own normal form.
func TestTablesRoundTrip(t *testing.T) {
	t.Parallel()
	n := 0
	for _, os := range operatingSystems() {
		if len(architectures(os)) == 0 {
			t.Errorf("%s has no architecture", os)
		}
		for _, arch := range architectures(os) {
			for _, variant := range append(variants(arch), "") {
				for _, version := range []string{"", "10.0.20348.1"} {
					n++
					p := v1.Platform{OS: os, Architecture: arch, Variant: variant, OSVersion: version}
					got, err := Parse(Format(p))
					if err != nil || !reflect.DeepEqual(got, Normalize(p)) {
						t.Errorf("%v is read back as %v, error %v", p, got, err)
					}
				}
			}
		}
	}
	if n < 400 {
		t.Errorf("only %d platforms", n)
	}
}

// Messages show the tables: sorted, each value once, in its canonical spelling.
func TestTablesAreOrdered(t *testing.T) {
	t.Parallel()
	for _, os := range operatingSystems() {
		archs := architectures(os)
		if !slices.IsSorted(archs) || canonicalOS(os) != os {
			t.Errorf("%s: %v", os, archs)
		}
		for _, arch := range archs {
			if c, implied := canonicalArch(arch); c != arch || implied != "" {
				t.Errorf("%s is an alias of %s", arch, c)
			}
		}
	}
}

func TestDistance(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		a, b string
		want int
	}{{"arm46", "arm64", 1}, {"linx", "linux", 1}, {"amd64", "amd64", 0}, {"", "arm", 3}, {"x", "y", 1}} {
		if got := distance(c.a, c.b); got != c.want || distance(c.b, c.a) != got {
			t.Errorf("%q to %q is %d, want %d both ways", c.a, c.b, got, c.want)
		}
	}
}
