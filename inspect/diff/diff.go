package diff

import (
	"slices"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"mtool/inspect"
	"mtool/registry"
)

// State says how a platform differs between two lists.
type State string

// The states.
const (
	Same    State = "same"
	Added   State = "added"   // only B has it
	Removed State = "removed" // only A has it
	Changed State = "changed"
)

// Result is the difference between two lists or images.
type Result struct {
	A, B      Side
	List      []Detail // of the list itself
	Platforms []Platform
}

// Side is one of the two lists.
type Side struct {
	Ref  registry.Ref
	Root registry.Manifest
}

// Platform is a platform of either side; a digest is zero if that side lacks it.
type Platform struct {
	Platform v1.Platform
	State    State
	A, B     v1.Hash
	Details  []Detail
}

// Detail is one thing that differs: "layer", "config.Env", "annotation org.example.key", … It is "" for a side that
// lacks it.
type Detail struct{ What, A, B string }

// Same reports whether nothing differs.
func (d Result) Same() bool {
	return len(d.List) == 0 && !slices.ContainsFunc(d.Platforms, func(p Platform) bool { return p.State != Same })
}

// Compare compares two reports, platform by platform.
func Compare(a, b inspect.Report) (d Result, err error) {
	d = Result{A: Side{a.Ref, a.Root}, B: Side{b.Ref, b.Root}, List: diffLists(a, b)}
	d.Platforms, err = diffPlatforms(a, b)
	return d, err
}

func diffLists(a, b inspect.Report) []Detail {
	var x, y inspect.ListFacts
	if a.List != nil {
		x = *a.List
	}
	if b.List != nil {
		y = *b.List
	}
	d := differing("media type", string(a.Root.MediaType), string(b.Root.MediaType))
	d = append(d, differing("artifactType", x.ArtifactType, y.ArtifactType)...)
	d = append(d, differing("subject", subjectOf(x), subjectOf(y))...)
	d = append(d, diffStrings("annotation ", x.Annotations, y.Annotations)...)
	return append(d, diffDigests("other entry", attached(a.Others), attached(b.Others))...)
}

func subjectOf(l inspect.ListFacts) string {
	if l.Subject == nil {
		return ""
	}
	return l.Subject.Digest.String()
}

// diffPlatforms pairs images by platform: those of A in its order, then those that only B has.
func diffPlatforms(a, b inspect.Report) ([]Platform, error) {
	var all []Platform
	left := slices.Clone(b.Images)
	for _, x := range a.Images {
		i := slices.IndexFunc(left, func(y inspect.Image) bool {
			return inspect.Slot(x.Platform(), x.Descriptor) == inspect.Slot(y.Platform(), y.Descriptor)
		})
		if i < 0 {
			all = append(all, Platform{Platform: x.Platform(), State: Removed, A: x.Descriptor.Digest})
			continue
		}
		p, err := diffImages(x, left[i])
		if err != nil {
			return nil, err
		}
		all, left = append(all, p), slices.Delete(left, i, i+1)
	}
	for _, y := range left {
		all = append(all, Platform{Platform: y.Platform(), State: Added, B: y.Descriptor.Digest})
	}
	return all, nil
}
