package deep

import (
	"fmt"
	"slices"
	"strings"

	"mtool/inspect"
	"mtool/inspect/binary"
	"mtool/inspect/rootfs"
)

// ruleOtherLibc is the rule about packages for the right machine and another C library.
const ruleOtherLibc = "other libc"

func libcRules() []Rule {
	return []Rule{{
		// never applied to a suspect: reportOtherLibc applies it to programs that fit the platform
		Name: ruleOtherLibc, State: inspect.Mismatch, covers: func(*suspect) bool { return false },
		Covers: "packages that state (by libc in package.json, musllinux or manylinux in WHEEL, a tag in the name of a prebuild) that they are for musl only, in an image whose only loader is glibc's, or the other way round; unless another package of the same family is for the image's libc",
		Reason: "their loader skips them, or they can't be loaded",
	}}
}

// libc returns the libc of the platform's loaders in the image; "" if there are none, or loaders of both.
func (j *judgement) libc() string {
	found := ""
	for _, r := range j.abi.loaders {
		libc := string(binary.Libc(r.path))
		if libc == "" || found != "" && libc != found {
			return ""
		}
		found = libc
	}
	return found
}

// reportOtherLibc reports packages for another libc than the image's.
func (j *judgement) reportOtherLibc() {
	libc := j.libc()
	if !j.judgeAll || libc == "" || !j.libcStated() {
		return
	}
	p := j.packages()
	for _, k := range p.libcBound() {
		if choice := k.choice; choice != nil && choice.otherLibc != "" && !choice.right {
			j.reportLibc(choice, choice.name, choice.otherLibc, libc)
		}
		if k.otherLibc == "" || k.acceptsLibc(libc) {
			continue
		}
		name, parents := k.name, p.parents[k]
		lacking := slices.IndexFunc(parents, func(parent *pkg) bool { return !parent.hasCounterpartFor(k, libc) })
		if lacking >= 0 {
			name = parents[lacking].name
		}
		if lacking >= 0 || len(parents) == 0 {
			j.reportLibc(k, name, k.otherLibc, libc)
		}
	}
}

func (j *judgement) reportLibc(k *pkg, name, path, libc string) {
	found, err := j.tree.Lookup(path)
	if err != nil {
		return
	}
	f := j.fileFinding(found.Entry, roleShared)
	f.Rule, f.Package, f.Evidence = ruleOtherLibc, name, k.forLibc()+", and the image has "+libc
	f.Message = fmt.Sprintf("%s: /%s is %s %s", j.name(), path, f.Evidence, inLayer(found.Entry))
	j.add(f)
}

// forLibc returns, for messages, for which libc the package says it is.
func (k *pkg) forLibc() string {
	if not, ok := strings.CutPrefix(k.libcs[0], "!"); ok {
		return "for any libc but " + not
	}
	return "for " + strings.Join(k.libcs, ", ") + " only"
}

// libcStated reports whether any package states its libc.
func (j *judgement) libcStated() bool {
	for e := range j.tree.All() {
		switch {
		case e.File == nil:
		case e.Type == rootfs.Program:
			if p, ok := prebuildOf(lastParts(e.Path)); ok && p.libc != "" {
				return true
			}
		case strings.Contains(e.File.Text, "\n"+isForLibc+" "):
			return true
		}
	}
	return false
}

// lastParts returns the last three parts of a path.
func lastParts(name string) string {
	from := len(name)
	for range 3 {
		if from = strings.LastIndexByte(name[:from], '/'); from < 0 {
			return name
		}
	}
	return name[from+1:]
}

// libcBound returns the packages with programs for one libc, sorted by directory.
func (p *packages) libcBound() (all []*pkg) {
	for _, k := range p.libcs {
		if k.otherLibc != "" || k.choice != nil {
			all = append(all, k)
		}
	}
	slices.SortFunc(all, func(a, b *pkg) int { return strings.Compare(a.root, b.root) })
	return slices.Compact(all)
}

// countLibc records a program for the platform that needs a libc, in a package that is for one libc.
func (p *packages) countLibc(k *pkg, e rootfs.Entry) {
	fact := *e.File.Fact
	if len(k.libcs) > 0 && k.otherLibc == "" &&
		(fact.Interp != "" || fact.Dynamic != nil && len(fact.Dynamic.Needed) > 0) {
		k.otherLibc = e.Path
	}
	if len(k.libcs) > 0 || k.choice != nil {
		p.libcs = append(p.libcs, k)
	}
}

// acceptsLibc reports whether the package, by what it states, works with a libc.
func (k *pkg) acceptsLibc(libc string) bool {
	if len(k.libcs) == 0 || slices.Contains(k.libcs, libc) {
		return true
	}
	return !slices.ContainsFunc(k.libcs,
		func(claim string) bool { return !strings.HasPrefix(claim, "!") || claim == "!"+libc })
}

// hasCounterpartFor reports whether a package of the same family as member has programs that fit the platform and the
// libc.
func (k *pkg) hasCounterpartFor(member *pkg, libc string) bool {
	return slices.ContainsFunc(k.members, func(other *pkg) bool {
		return other.right && other.acceptsLibc(libc) && sameFamily(other.root, member.root)
	})
}
