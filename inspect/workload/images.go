package workload

import (
	"fmt"
	"slices"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"mtool/inspect"
	"mtool/inspect/platform"
	"mtool/registry"
)

// Image is an image to check: its name, its uses in files, and the platforms that it must serve.
type Image struct {
	Ref    registry.Ref
	Uses   []Use // none if the user named it
	Needs  []Need
	NoNode []Use // uses that no node of the cluster would run
}

// Need is a platform that an image must serve; it has no Uses if the user required it.
type Need struct {
	Platform v1.Platform
	Uses     []Use
}

// Requested returns an image that the user named, which must serve all platforms of the universe.
func Requested(ref registry.Ref, where Universe) Image {
	i := Image{Ref: ref}
	for _, p := range where.All() {
		i.need(p, nil)
	}
	return i
}

// Images returns the images of uses, each once, and separately the uses with an invalid name. Names in files are for
// a cluster, so the images are in registries.
func Images(uses []Use, where Universe) (all []Image, nameless []Unchecked) {
	index := map[string]int{}
	for _, u := range uses {
		ref, err := registry.ParseRef("docker://" + u.Image)
		if err != nil {
			why := strings.TrimPrefix(err.Error(), fmt.Sprintf("parsing reference %q: ", "docker://"+u.Image))
			nameless = append(nameless, Unchecked{Place: u.Place, Image: u.Image, Why: "it is not a valid image name: " + why})
			continue
		}
		n, seen := index[ref.Name()]
		if !seen {
			n = len(all)
			index[ref.Name()] = n
			all = append(all, Image{Ref: ref})
		}
		all[n].use(u, where)
	}
	return all, nameless
}

// use adds a use and what it needs.
func (i *Image) use(u Use, where Universe) {
	i.Uses = append(i.Uses, u)
	required, noNode := u.Required(where)
	for _, p := range required {
		i.need(p, &u)
	}
	if noNode {
		i.NoNode = append(i.NoNode, u)
	}
}

func (i *Image) need(p v1.Platform, u *Use) {
	n := slices.IndexFunc(i.Needs, func(have Need) bool { return platform.Equal(have.Platform, p) })
	if n < 0 {
		n = len(i.Needs)
		i.Needs = append(i.Needs, Need{Platform: p})
	}
	if u != nil {
		i.Needs[n].Uses = append(i.Needs[n].Uses, *u)
	}
}

// Platforms returns the platforms that the image must serve.
func (i Image) Platforms() (all []v1.Platform) {
	for _, n := range i.Needs {
		all = append(all, n.Platform)
	}
	return all
}

// Only returns the needed platforms, if every use states the ones that it needs; none: all entries of the image
// matter.
func (i Image) Only() []v1.Platform {
	for _, u := range i.Uses {
		named := slices.ContainsFunc(i.Needs, func(n Need) bool {
			return slices.ContainsFunc(n.Uses, func(o Use) bool { return o.Place == u.Place })
		})
		if !named {
			return nil
		}
	}
	if len(i.Uses) == 0 {
		return nil
	}
	return i.Platforms()
}

// Place returns the first place that names the image; zero if none does.
func (i Image) Place() Place {
	if len(i.Uses) == 0 {
		return Place{}
	}
	return i.Uses[0].Place
}

// Located adds to an error about the image where it is named.
func (i Image) Located(err error) error {
	if len(i.Uses) == 0 {
		return err
	}
	return fmt.Errorf("%s: %s: %w", i.Place(), i.Place().What, err)
}

// Locate sets the place of every finding without one to the first that names the image.
func (i Image) Locate(findings []inspect.Finding) []inspect.Finding {
	for n, f := range findings {
		if f.File == "" {
			findings[n].File, findings[n].Line = i.Place().File, i.Place().Line
		}
	}
	return findings
}

// Prefixed returns findings for people, with the place and the image in front of the message.
func (i Image) Prefixed(findings []inspect.Finding) []inspect.Finding {
	if len(i.Uses) == 0 {
		return findings
	}
	findings = slices.Clone(findings)
	for n, f := range findings {
		findings[n].Message = fmt.Sprintf("%s: %s: %s", Place{File: f.File, Line: f.Line}, i.Ref.Name(), f.Message)
	}
	return findings
}
