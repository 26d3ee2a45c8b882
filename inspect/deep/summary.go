package deep

import (
	"fmt"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"mtool/inspect"
)

// perRole is how many findings of one role in one image are told one by one to people.
const perRole = 3

// Summary shortens findings for people: of the files of one role in one image the first few, and then a count. What is not
// about a file stays.
func Summary(findings []inspect.Finding) []inspect.Finding {
	type group struct{ image, role string }
	groupOf := func(f inspect.Finding) group { return group{f.Digest.String() + f.Platform, f.Role} }
	total := map[group]int{}
	for _, f := range findings {
		if perFile(f) {
			total[groupOf(f)]++
		}
	}
	var all []inspect.Finding
	told := map[group]int{}
	for _, f := range findings {
		g := groupOf(f)
		if !perFile(f) || total[g] <= perRole+1 {
			all = append(all, f)
			continue
		}
		told[g]++
		switch {
		case told[g] == perRole+1:
			f.Message = fmt.Sprintf("%s: and %s more like it; all are in -o json", f.Platform, count(total[g]-perRole, "file"))
			all = append(all, f)
		case told[g] <= perRole:
			all = append(all, f)
		}
	}
	return all
}

func perFile(f inspect.Finding) bool { return f.Path != "" && f.State == inspect.Mismatch }

// Essential reports whether a finding is about a file that no exemption covers: what the image starts, or its own
// loader, libc or shell. A file that is missing has no layer, and is not meant.
func Essential(f inspect.Finding) bool {
	return f.Layer != v1.Hash{} && rank(f.Role) <= rank(roleShell)
}
