package deep

import (
	"fmt"
	"slices"

	"mtool/inspect"
	"mtool/inspect/rootfs"
)

// read judges the image as one reading of the layers shows it.
func (j *judgement) read(tree *rootfs.Tree) {
	var err error
	j.tree = tree
	j.steps, err = j.subject.steps(tree)
	j.essential = essentials{}
	if j.judgeAll {
		j.essential = usualFiles(tree, j.platform)
	}
	j.essential.addStarted(j.steps)
	j.needed, j.bySlot, j.userlandDirs, j.libDirs, j.pkgs = nil, nil, nil, nil, nil
	j.unlinked = machines{}
	j.abi = j.newABI()
	j.judgeFiles()
	j.reportChain()
	j.reportLoaderless()
	j.reportOtherLibc()
	j.reportMixedABIs()
	j.reportWorkingDirs()
	j.reportUnstatedABI()
	j.reportUnfollowed(err)
}

// readAgain judges another reading of the same layers. A fault in one of them is a fault, and a program counts as
// right only if it is in all of them.
func (j *judgement) readAgain(tree *rootfs.Tree) {
	other := *j
	other.details, other.exemptions = nil, map[string]*exemption{}
	other.programs, other.judged, other.right = 0, 0, 0
	other.read(tree)
	for _, f := range other.details {
		if f.State == inspect.Note ||
			slices.ContainsFunc(j.details, func(have inspect.Finding) bool { return sameFinding(have, f) }) {
			continue
		}
		f.Message += fmt.Sprintf(" (as runtimes read the layers by %s)", tree.Reading())
		j.details = append(j.details, f)
	}
	j.right = min(j.right, other.right)
}

func sameFinding(a, b inspect.Finding) bool {
	return a.State == b.State && a.Path == b.Path && a.Role == b.Role && a.Layer == b.Layer && a.Evidence == b.Evidence
}
