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

// Image is an image to look at: its name, the places in files that name it, and the platforms that it must serve.
type Image struct {
	Ref      registry.Ref
	Uses     []Use // none where its name was typed
	Needs    []Need
	Homeless []Use // those that no node of the cluster would run
}

// Need is a platform that an image must serve; there are no Uses where the platform was typed.
type Need struct {
	Platform v1.Platform
	Uses     []Use
}

// Typed returns the image of a name that was typed, which must serve all platforms of the universe.
func Typed(ref registry.Ref, where Universe) Image {
	i := Image{Ref: ref}
	for _, p := range where.All() {
		i.need(p, nil)
	}
	return i
}

// Images returns the images of uses, each once, and apart from them what is no name of an image. Names in files are
// those of a cluster, so images are in registries.
func Images(uses []Use, where Universe) (all []Image, nameless []Unchecked) {
	index := map[string]int{}
	for _, u := range uses {
		ref, err := registry.ParseRef("docker://" + u.Image)
		if err != nil {
			why := strings.TrimPrefix(err.Error(), fmt.Sprintf("parsing reference %q: ", "docker://"+u.Image))
			nameless = append(nameless, Unchecked{Place: u.Place, Image: u.Image, Why: "it is no name of an image: " + why})
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
	required, homeless := u.Required(where)
	for _, p := range required {
		i.need(p, &u)
	}
	if homeless {
		i.Homeless = append(i.Homeless, u)
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

// Only returns the platforms that alone matter, since every use says which it needs; none: all entries of the image
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

// Place returns the place that names the image first; zero where none does.
func (i Image) Place() Place {
	if len(i.Uses) == 0 {
		return Place{}
	}
	return i.Uses[0].Place
}

// Located adds to an error about the image where that is named.
func (i Image) Located(err error) error {
	if len(i.Uses) == 0 {
		return err
	}
	return fmt.Errorf("%s: %s: %w", i.Place(), i.Place().What, err)
}

// Locate gives every finding the place where the image is named first, unless it has one.
func (i Image) Locate(findings []inspect.Finding) []inspect.Finding {
	for n, f := range findings {
		if f.File == "" {
			findings[n].File, findings[n].Line = i.Place().File, i.Place().Line
		}
	}
	return findings
}

// Told returns findings as people read them: with the place in front, and the image.
func (i Image) Told(findings []inspect.Finding) []inspect.Finding {
	if len(i.Uses) == 0 {
		return findings
	}
	for n, f := range findings {
		findings[n].Message = fmt.Sprintf("%s: %s: %s", Place{File: f.File, Line: f.Line}, i.Ref.Name(), f.Message)
	}
	return findings
}
