package inspect

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"mtool/inspect/platform"
	"mtool/registry"
)

// Taken is the entry that a runtime takes for a node.
type Taken struct {
	Node    v1.Platform
	Runtime platform.Runtime
	// Found reports whether it takes one; otherwise only Why is set below.
	Found    bool
	Digest   v1.Hash     // of the image
	Platform v1.Platform // of its row, as spelled there; of its config when the row states none
	Why      string
	// Other reports that the node can't run the image and takes it anyway: runtimes ignore the platform of a single
	// image.
	Other bool
}

// Resolve returns which image a runtime takes from the report for a node, by the rows alone, through nested lists. The
// error wraps registry.ErrContent.
func (r Report) Resolve(runtime platform.Runtime, node v1.Platform) (Taken, error) {
	t := Taken{Node: platform.Normalize(node), Runtime: runtime}
	if r.List == nil {
		return r.single(t), nil
	}
	rows, err := r.rows()
	if err != nil {
		return t, err
	}
	docker := r.Root.MediaType == types.DockerManifestList
	for level := 0; ; level++ {
		offer := platform.Offer{Docker: docker}
		for _, d := range rows {
			offer.Rows = append(offer.Rows, platform.Row{
				Platform: d.Platform, Config: r.configOf(d.Digest),
				Zstd: d.Annotations["io.github.containers.compression.zstd"] == "true",
			})
		}
		c := offer.Choose(runtime, t.Node)
		t.Why = c.Why
		if c.Row < 0 {
			return t, nil
		}
		row := rows[c.Row]
		if !row.MediaType.IsIndex() {
			t.Found, t.Digest, t.Platform = true, row.Digest, r.configOf(row.Digest)
			if row.Platform != nil {
				t.Platform = *row.Platform
			}
			return t, nil
		}
		rows, docker = r.below(row.Digest, level), row.MediaType == types.DockerManifestList
	}
}

// single takes an image that is not in a list: every runtime takes it, and fails when it is started.
func (r Report) single(t Taken) Taken {
	for _, i := range r.Images {
		t.Found, t.Digest, t.Platform, t.Why = true, i.Descriptor.Digest, i.Config, "a single image, which every node takes"
		if t.Other = len(r.Serve(t.Node, false).Rows) == 0; t.Other {
			t.Why += ": it is not for " + platform.Format(t.Node)
		}
	}
	if len(r.Images) == 0 {
		t.Why = "it is no image"
	}
	return t
}

// rows returns the rows of the list itself, as runtimes read them.
func (r Report) rows() ([]v1.Descriptor, error) {
	var list struct {
		Manifests []v1.Descriptor `json:"manifests"`
	}
	if err := json.Unmarshal(r.Root.Body, &list); err != nil {
		return nil, fmt.Errorf("reading the rows of %q: %w: %w", r.Ref, registry.ErrContent, err)
	}
	return list.Manifests, nil
}

// below returns the rows of a nested list at a level below the root that lead to images.
func (r Report) below(list v1.Hash, level int) (rows []v1.Descriptor) {
	for _, i := range r.Images {
		if level >= len(i.Via) || i.Via[level].Digest != list {
			continue
		}
		row := i.Descriptor
		if level+1 < len(i.Via) {
			row = i.Via[level+1]
		}
		if !slices.ContainsFunc(rows, func(d v1.Descriptor) bool { return d.Digest == row.Digest && d.MediaType.IsIndex() }) {
			rows = append(rows, row)
		}
	}
	return rows
}

// configOf returns the platform in the config of that image; zero when there is none.
func (r Report) configOf(digest v1.Hash) v1.Platform {
	for _, i := range r.Images {
		if i.Descriptor.Digest == digest {
			return i.Config
		}
	}
	return v1.Platform{}
}

// JudgeTaken returns what is wrong with what runtimes take for one node: that one finds nothing (registry.ErrNotFound),
// that the image is for another machine or, with same, that they differ (ErrMismatch).
func JudgeTaken(taken []Taken, same bool) error {
	var none, other []string
	var choices []string // what is taken, each once, with who takes it
	by := map[string][]string{}
	for _, t := range taken {
		who, what := string(t.Runtime), "none"
		switch {
		case !t.Found:
			none = append(none, who)
		case t.Other:
			other = append(other, who)
			fallthrough
		default:
			what = t.Digest.String()
		}
		if by[what] == nil {
			choices = append(choices, what)
		}
		by[what] = append(by[what], who)
	}
	var errs []error
	if len(none) > 0 {
		errs = append(errs, fmt.Errorf("%w: no entry for %s", registry.ErrNotFound, strings.Join(none, ", ")))
	}
	if len(other) > 0 {
		errs = append(errs, fmt.Errorf("%w: a single image of %s", ErrMismatch, platform.Format(taken[0].Platform)))
	}
	if same && len(choices) > 1 {
		for i, what := range choices {
			choices[i] = strings.Join(by[what], ", ") + " take " + what
		}
		errs = append(errs, fmt.Errorf("%w: the runtimes differ: %s", ErrMismatch, strings.Join(choices, "; ")))
	}
	return errors.Join(errs...)
}
