package deep

import (
	"fmt"
	"slices"
	"strings"

	"mtool/inspect"
	"mtool/inspect/binary"
	"mtool/inspect/rootfs"
)

// ruleOtherLibc is the row about packages of the right machine that are for another C library.
const ruleOtherLibc = "other libc"

func libcRules() []Rule {
	return []Rule{{
		// the others are about files that are not right
		Name: ruleOtherLibc, State: inspect.Mismatch, covers: func(*suspect) bool { return false },
		Covers: "packages whose own word (libc in package.json, musllinux or manylinux in WHEEL, a tag in the name of a prebuild) is that they are for musl only in an image with glibc's loader alone, or the other way round; not where another of the same family is for the image's libc",
		Reason: "their loader passes over them, or they can't be loaded",
	}}
}

// libc is that of the platform's loaders in the image; "" where it has none, or those of two.
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

// otherLibc reports packages that are for another libc than that of the image.
func (j *judgement) otherLibc() {
	libc := j.libc()
	if !j.all || libc == "" || !j.saysLibc() {
		return
	}
	p := j.packages()
	for _, k := range p.bound() {
		if choice := k.choice; choice != nil && choice.otherLibc != "" && !choice.right {
			j.wrongLibc(choice, choice.name, choice.otherLibc, libc)
		}
		if k.otherLibc == "" || k.takes(libc) {
			continue
		}
		name, parents := k.name, p.parents[k]
		lacking := slices.IndexFunc(parents, func(parent *pack) bool { return !parent.hasFor(k, libc) })
		if lacking >= 0 {
			name = parents[lacking].name
		}
		if lacking >= 0 || len(parents) == 0 {
			j.wrongLibc(k, name, k.otherLibc, libc)
		}
	}
}

func (j *judgement) wrongLibc(k *pack, name, path, libc string) {
	found, err := j.tree.Lookup(path)
	if err != nil {
		return
	}
	f := j.fileFinding(found.Entry, roleShared)
	f.Rule, f.Package, f.Evidence = ruleOtherLibc, name, k.forLibc()+", and the image has "+libc
	f.Message = fmt.Sprintf("%s: /%s is %s %s", j.name(), path, f.Evidence, place(found.Entry))
	j.add(f)
}

// forLibc says for which libc the package is, by its own word.
func (k *pack) forLibc() string {
	if not, ok := strings.CutPrefix(k.libcs[0], "!"); ok {
		return "for any libc but " + not
	}
	return "for " + strings.Join(k.libcs, ", ") + " only"
}

// saysLibc reports whether a package says for which libc it is.
func (j *judgement) saysLibc() bool {
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

// lastParts are the last three parts of a path.
func lastParts(name string) string {
	from := len(name)
	for range 3 {
		if from = strings.LastIndexByte(name[:from], '/'); from < 0 {
			return name
		}
	}
	return name[from+1:]
}

// bound are the packages that have something for a libc, in the order of their directories.
func (p *packages) bound() (all []*pack) {
	for _, k := range p.libcs {
		if k.otherLibc != "" || k.choice != nil {
			all = append(all, k)
		}
	}
	slices.SortFunc(all, func(a, b *pack) int { return strings.Compare(a.root, b.root) })
	return slices.Compact(all)
}

// countLibc takes note of a program for the platform that needs a libc, in a package that is for one.
func (p *packages) countLibc(k *pack, e rootfs.Entry) {
	fact := *e.File.Fact
	if len(k.libcs) > 0 && k.otherLibc == "" &&
		(fact.Interp != "" || fact.Dynamic != nil && len(fact.Dynamic.Needed) > 0) {
		k.otherLibc = e.Path
	}
	if len(k.libcs) > 0 || k.choice != nil {
		p.libcs = append(p.libcs, k)
	}
}

// takes reports whether the package is for a libc, by its own word.
func (k *pack) takes(libc string) bool {
	if len(k.libcs) == 0 || slices.Contains(k.libcs, libc) {
		return true
	}
	return !slices.ContainsFunc(k.libcs,
		func(claim string) bool { return !strings.HasPrefix(claim, "!") || claim == "!"+libc })
}

// hasFor reports whether one of the members that differ from k in their platform only is right, and for a libc.
func (k *pack) hasFor(member *pack, libc string) bool {
	return slices.ContainsFunc(k.members, func(other *pack) bool {
		return other.right && other.takes(libc) && kin(other.root, member.root)
	})
}
