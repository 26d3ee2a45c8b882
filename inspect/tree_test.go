package inspect_test

import (
	"slices"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"mtool/inspect"
	"mtool/inspect/platform"
	"mtool/registry"
	"mtool/registry/registrytest"
)

func TestReadNested(t *testing.T) {
	t.Parallel()
	amd64, arm64, s390x := image("linux/amd64"), image("linux/arm64"), image("linux/s390x")
	inner := registrytest.ListOf(arm64)
	middle := registrytest.List(registrytest.ListSpec{Entries: []registrytest.Entry{entry(inner)}, Attested: false})
	r := readBuilt(t, list(entry(amd64), registrytest.Entry{Built: middle, Claim: claim("linux/arm64")}, entry(s390x)))
	var got []string
	for _, i := range r.Images {
		got = append(got, platform.Format(i.Claim()))
	}
	if !slices.Equal(got, []string{"linux/amd64", "linux/arm64", "linux/s390x"}) {
		t.Errorf("order is %v", got)
	}
	deep := r.Images[1]
	if !slices.Equal(deep.Nested, []v1.Hash{middle.Digest(), inner.Digest()}) {
		t.Errorf("nested in %v, want the middle list, then the inner one", deep.Nested)
	}
	if len(deep.Via) != 2 || deep.Via[0].Platform == nil || deep.Via[1].Platform != nil {
		t.Errorf("path is %v", deep.Via)
	}
}

// Sibling lists at any depth each keep their own path from the root.
func TestReadSiblings(t *testing.T) {
	t.Parallel()
	a, b := registrytest.ListOf(image("linux/amd64")), registrytest.ListOf(image("linux/arm64"))
	for depth := range 6 {
		r := readBuilt(t, nest(registrytest.ListOf(a, b), depth))
		for n, want := range []registrytest.Built{a, b} {
			i := r.Images[n]
			if last := i.Via[len(i.Via)-1].Digest; last != want.Digest() || i.Nested[len(i.Nested)-1] != last {
				t.Errorf("at depth %d, the path of image %d ends with %s, want %s", depth, n, last, want.Digest())
			}
		}
	}
}

func nest(b registrytest.Built, times int) registrytest.Built {
	for range times {
		b = registrytest.ListOf(b)
	}
	return b
}

func TestReadDepth(t *testing.T) {
	t.Parallel()
	// The root is a list itself; eight more may be nested in it.
	r := readBuilt(t, nest(image("linux/amd64"), 9))
	if len(r.Images) != 1 || r.Images[0].Err != nil || len(r.Images[0].Nested) != 8 {
		t.Errorf("at depth 8: %+v", r.Images)
	}
	r = readBuilt(t, nest(image("linux/amd64"), 10))
	if len(r.Images) != 1 {
		t.Fatalf("%d images", len(r.Images))
	}
	wantIs(t, r.Images[0].Err, registry.ErrContent)
	wantText(t, r.Images[0].Err.Error(), "nested deeper than 8")
}

// Digests can't form a cycle, but the answers of a malicious source can.
func TestReadCycle(t *testing.T) {
	t.Parallel()
	inner := registrytest.ListOf(image("linux/amd64"))
	root := registrytest.ListOf(inner)
	for name, answer := range map[string][]byte{
		"to the root": registrytest.ListOf(root).Manifest.Body,
		"to itself":   root.Manifest.Body,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			obj := root.Object(registryRef())
			lie := registry.Manifest{MediaType: types.OCIImageIndex, Body: answer}
			obj.Source = &source{Source: obj.Source, lies: map[v1.Hash]registry.Manifest{inner.Digest(): lie}}
			r := read(t, obj)
			if len(r.Images) != 1 || len(r.Images[0].Nested) != 1 {
				t.Fatalf("images are %+v, want the row that closes the cycle", r.Images)
			}
			wantIs(t, r.Images[0].Err, registry.ErrContent)
			wantText(t, r.Images[0].Err.Error(), "contains itself")
		})
	}
}

// A list that contains the same nested list many times has exponentially many entries in few bytes.
func TestReadStopsAtManyEntries(t *testing.T) {
	t.Parallel()
	b := image("linux/amd64")
	for range 4 {
		b = list(slices.Repeat([]registrytest.Entry{entry(b)}, 12)...)
	}
	_, err := inspect.Read(t.Context(), b.Object(registryRef()))
	wantIs(t, err, inspect.ErrLimit)
}
