package deep

import (
	"fmt"
	"slices"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"mtool/inspect"
)

// Summary shows up to perRole findings of one role in one image, and up to perImage packages, one by one.
const (
	perRole  = 3
	perImage = 10
)

// Summary shortens findings for people: the first few files of one role in one image, then a count; one line for each
// package. Findings that are not about a file stay, and so does the order.
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
	if len(total) == 0 {
		return findings
	}
	var all []inspect.Finding
	seen := map[group]int{}
	packages := packageSummary{left: map[string]int{}, shown: map[string]int{}}
	for g := range total {
		if g.pack != "" {
			packages.left[g.image+string(g.state)]++
		}
	}
	for _, f := range findings {
		g := groupOf(f)
		if seen[g]++; perFile(f) && f.Package != "" {
			if seen[g] == 1 {
				all = append(all, packages.add(f, total[g])...)
			}
			continue
		}
		if !perFile(f) || total[g] <= perRole+1 {
			all = append(all, f)
			continue
		}
		switch {
		case seen[g] == perRole+1:
			f.Message = fmt.Sprintf("%s: and %s more like it; the JSON output lists all", f.Platform,
				inspect.Count(total[g]-perRole, "file"))
			all = append(all, f)
		case seen[g] <= perRole:
			all = append(all, f)
		}
	}
	return all
}

// SumsLast moves each failing verdict after the findings that it counts, as people read them.
func SumsLast(findings []inspect.Finding) []inspect.Finding {
	if !slices.ContainsFunc(findings, func(f inspect.Finding) bool { return f.Verdict && f.Fails() }) {
		return findings
	}
	image := func(f inspect.Finding) string { return f.Digest.String() + f.Platform }
	last := map[string]int{}
	for n, f := range findings {
		last[image(f)] = n
	}
	moved := map[int]inspect.Finding{}
	all := make([]inspect.Finding, 0, len(findings))
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

// packageSummary shortens the findings about many packages, which an image that was built for another machine has.
type packageSummary struct{ left, shown map[string]int }

func (t packageSummary) add(f inspect.Finding, files int) []inspect.Finding {
	image := f.Digest.String() + f.Platform + string(f.State)
	t.shown[image]++
	t.left[image]--
	switch {
	case t.shown[image] <= perImage || t.shown[image] == perImage+1 && t.left[image] == 0:
		f.Message = inPackage(f, files)
	case t.shown[image] == perImage+1:
		f.Message = fmt.Sprintf("%s: and %s more like them; the JSON output lists all", f.Platform,
			inspect.Count(t.left[image]+1, "package"))
	default:
		return nil
	}
	return []inspect.Finding{f.Printable()}
}

func perFile(f inspect.Finding) bool {
	return f.Path != "" && (f.State == inspect.Mismatch || f.State == inspect.Warning)
}

// inPackage returns a message about a package: what is wrong with it, and where.
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
// loader, libc or shell. A missing file, which has no layer, does not count.
func Essential(f inspect.Finding) bool {
	return f.Layer != v1.Hash{} && rank(f.Role) <= rank(roleShell)
}
