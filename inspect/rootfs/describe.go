package rootfs

import (
	"maps"
	"slices"
	"strings"
)

// describe writes the view down: paths sorted, and plain files as names of their directory. What that takes is taken
// from the budget p for good, since facts outlive the view.
func (v *view) describe(f *LayerFacts, p *memoryBudget) error {
	d := describer{budget: p, facts: f}
	if err := d.folder("", v.root); err != nil {
		return err
	}
	byPath := func(a, b File) int { return strings.Compare(a.Path, b.Path) }
	slices.SortFunc(f.Files, byPath)
	slices.SortFunc(f.Folders, func(a, b Folder) int { return strings.Compare(a.Path, b.Path) })
	slices.Sort(f.Whiteouts)
	f.Skipped = slices.Sorted(maps.Keys(v.skipped))
	var cost int64
	for _, name := range slices.Concat(f.Whiteouts, f.Skipped) {
		cost += int64(len(name))
	}
	return p.take(cost)
}

type describer struct {
	budget *memoryBudget
	facts  *LayerFacts
}

func (d *describer) folder(path string, n *node) error {
	folder := Folder{Path: path, Opaque: n.opaque, Anew: n.anew, Implied: n.implied, Late: n.late}
	var names, runnable []string
	for _, name := range slices.Sorted(maps.Keys(n.kids)) {
		kid := n.kids[name]
		switch {
		case kid.dir:
			if err := d.folder(join(path, name), kid); err != nil {
				return err
			}
		case kid.file != nil:
			file := *kid.file
			file.Path = join(path, name)
			if err := d.budget.take(file.cost()); err != nil {
				return err
			}
			d.facts.Files = append(d.facts.Files, file)
		case kid.gone:
			d.facts.Whiteouts = append(d.facts.Whiteouts, join(path, name))
		case kid.runnable:
			runnable = append(runnable, name)
		default:
			names = append(names, name)
		}
	}
	folder.Names, folder.Runnable = strings.Join(names, "/"), strings.Join(runnable, "/")
	d.facts.Folders = append(d.facts.Folders, folder)
	const header = 64
	return d.budget.take(int64(header + len(path) + len(folder.Names) + len(folder.Runnable)))
}
