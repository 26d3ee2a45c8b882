package deep

import (
	"fmt"
	"slices"

	"mtool/inspect"
	"mtool/inspect/rootfs"
)

// read judges what one reading of the layers shows.
func (j *judgement) read(tree *rootfs.Tree) {
	var err error
	j.tree = tree
	j.steps, err = j.subject.steps(tree)
	j.own = own{}
	if j.all {
		j.own = ownFiles(tree, j.platform)
	}
	j.own.chain(j.steps)
	j.needed, j.places, j.roots, j.libs, j.packs = nil, nil, nil, nil, nil
	j.unlinked = machines{}
	j.abi = j.newABI()
	j.files()
	j.chain()
	j.loaderless()
	j.otherLibc()
	j.mixed()
	j.workingDirs()
	j.unasked()
	j.unfollowed(err)
}

// readAgain judges another reading of the same layers: what is wrong in one of them is wrong, and an image is right as
// far as all of them are.
func (j *judgement) readAgain(tree *rootfs.Tree) {
	other := *j
	other.details, other.excused = nil, map[string]*excuse{}
	other.programs, other.judged, other.right = 0, 0, 0
	other.read(tree)
	for _, f := range other.details {
		if f.State == inspect.Note ||
			slices.ContainsFunc(j.details, func(have inspect.Finding) bool { return sameFinding(have, f) }) {
			continue
		}
		f.Message += fmt.Sprintf(" (runtimes show it by %s)", tree.Reading())
		j.details = append(j.details, f)
	}
	j.right = min(j.right, other.right)
}

func sameFinding(a, b inspect.Finding) bool {
	return a.State == b.State && a.Path == b.Path && a.Role == b.Role && a.Layer == b.Layer && a.Evidence == b.Evidence
}
