package deep

import (
	"fmt"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"mtool/inspect"
)

// perRole is how many findings of one role in one image are told one by one to people, and perImage how many packages.
const (
	perRole  = 3
	perImage = 10
)

// Summary shortens findings for people: of the files of one role in one image the first few, and then a count; of those
// of one package a line. What is not about a file stays, and so does the order.
func Summary(findings []inspect.Finding) []inspect.Finding {
	type group struct {
		image, role, pack string
		state             inspect.State
	}
	groupOf := func(f inspect.Finding) group {
		if f.Package != "" {
			return group{f.Digest.String() + f.Platform, "", f.Package, f.State}
		}
		return group{f.Digest.String() + f.Platform, f.Role, "", f.State}
	}
	total := map[group]int{}
	for _, f := range findings {
		if perFile(f) {
			total[groupOf(f)]++
		}
	}
	var all []inspect.Finding
	told := map[group]int{}
	packages := tellPackages{left: map[string]int{}, told: map[string]int{}}
	for g := range total {
		if g.pack != "" {
			packages.left[g.image+string(g.state)]++
		}
	}
	for _, f := range findings {
		g := groupOf(f)
		if told[g]++; perFile(f) && f.Package != "" {
			if told[g] == 1 {
				all = append(all, packages.tell(f, total[g])...)
			}
			continue
		}
		if !perFile(f) || total[g] <= perRole+1 {
			all = append(all, f)
			continue
		}
		switch {
		case told[g] == perRole+1:
			f.Message = fmt.Sprintf("%s: and %s more like it; all are in the JSON output", f.Platform,
				inspect.Count(total[g]-perRole, "file"))
			all = append(all, f)
		case told[g] <= perRole:
			all = append(all, f)
		}
	}
	return all
}

// SumsLast moves each verdict that fails behind the findings that it counts, as people read them.
func SumsLast(findings []inspect.Finding) []inspect.Finding {
	image := func(f inspect.Finding) string { return f.Digest.String() + f.Platform }
	last := map[string]int{}
	for n, f := range findings {
		last[image(f)] = n
	}
	moved := map[int]inspect.Finding{}
	var all []inspect.Finding
	for n, f := range findings {
		if f.Verdict && f.Fails() && last[image(f)] > n {
			moved[last[image(f)]] = f
			continue
		}
		all = append(all, f)
		if sum, ok := moved[n]; ok {
			all = append(all, sum)
		}
	}
	return all
}

// tellPackages shortens the findings about many packages, as an image that was built for another machine has.
type tellPackages struct{ left, told map[string]int }

func (t tellPackages) tell(f inspect.Finding, files int) []inspect.Finding {
	image := f.Digest.String() + f.Platform + string(f.State)
	t.told[image]++
	t.left[image]--
	switch {
	case t.told[image] <= perImage || t.told[image] == perImage+1 && t.left[image] == 0:
		f.Message = inPackage(f, files)
	case t.told[image] == perImage+1:
		f.Message = fmt.Sprintf("%s: and %s more like them; all are in the JSON output", f.Platform,
			inspect.Count(t.left[image]+1, "package"))
	default:
		return nil
	}
	return []inspect.Finding{f.Printable()}
}

func perFile(f inspect.Finding) bool {
	return f.Path != "" && (f.State == inspect.Mismatch || f.State == inspect.Warning)
}

// inPackage says what is wrong with a package, and where.
func inPackage(f inspect.Finding, files int) string {
	more := ""
	if files > 1 {
		more = fmt.Sprintf(" and %d more", files-1)
	}
	verb := "is installed"
	if f.Rule == ruleModules || f.Rule == ruleBoot {
		verb = "are"
	}
	return fmt.Sprintf("%s: %s %s %s: /%s%s", f.Platform, f.Package, verb, f.Evidence, f.Path, more)
}

// Essential reports whether a finding is about a file that no exemption covers: what the image starts, or its own
// loader, libc or shell. A file that is missing has no layer, and is not meant.
func Essential(f inspect.Finding) bool {
	return f.Layer != v1.Hash{} && rank(f.Role) <= rank(roleShell)
}
