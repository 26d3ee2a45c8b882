package rootfs

import (
	"maps"
	"slices"
	"strings"
)

// describe writes the view into facts: paths are sorted, and plain files are names of their directory. The memory for
// that is not returned to the budget, since facts outlive the view.
func (v *view) describe(f *LayerFacts, budget *memoryBudget) error {
	d := describer{budget: budget, facts: f}
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
	return budget.take(cost)
}

type describer struct {
	budget *memoryBudget
	facts  *LayerFacts
}

func (d *describer) folder(path string, n *node) error {
	folder := Folder{Path: path, Opaque: n.opaque, Replaced: n.replaced, Implied: n.implied, Late: n.late}
	var names, runnable []string
	for _, name := range slices.Sorted(maps.Keys(n.children)) {
		child := n.children[name]
		switch {
		case child.dir:
			if err := d.folder(join(path, name), child); err != nil {
				return err
			}
		case child.file != nil:
			file := *child.file
			file.Path = join(path, name)
			if err := d.budget.take(file.cost()); err != nil {
				return err
			}
			d.facts.Files = append(d.facts.Files, file)
		case child.gone:
			d.facts.Whiteouts = append(d.facts.Whiteouts, join(path, name))
		case child.runnable:
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
