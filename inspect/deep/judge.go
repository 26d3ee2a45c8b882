package deep

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

	"mtool/inspect"
	"mtool/inspect/binary"
	"mtool/inspect/platform"
	"mtool/inspect/rootfs"
)

// judgement is the work on one image.
type judgement struct {
	subject
	options Options
	tree    *rootfs.Tree
	steps   []rootfs.Step
	own     own
	abi     abi
	facts   []rootfs.LayerFacts // by layer
	label   []Glob
	all     bool // every program is judged, and not only those that the image starts
	masks   masks

	// What is looked for when a program turns up that is not right; nil: it was not yet.
	needed   needs
	places   map[string]slot
	roots    []userland
	unlinked machines
	libs     []string // directories of the loader
	packs    *packages

	details  []inspect.Finding
	excused  map[string]*excuse // by the name of the rule
	programs int                // all that are visible, judged or not
	judged   int                // those that say what machine they are for
	right    int                // those that run on the platform
}

// judge looks at the programs of one image.
func judge(s subject, r *reader, o Options) (inspect.Finding, []inspect.Finding) {
	facts, failed := r.layers(s)
	j := judgement{
		facts:   facts,
		subject: s, options: o, label: s.wishes(), excused: map[string]*excuse{}, all: !r.narrow(s), masks: masks{},
	}
	j.layers(failed)
	j.contents()
	trees, err := rootfs.Readings(facts)
	if err != nil {
		return j.unmerged(err), j.details
	}
	j.read(trees[0])
	j.explain()
	r.holds[s.n] = j.inventory()
	for _, tree := range trees[1:] {
		j.readAgain(tree)
	}
	j.wish()
	j.excuses()
	// Plug-ins, which lie deeper, come behind the libraries that load them.
	slices.SortStableFunc(j.details, func(a, b inspect.Finding) int {
		return cmp.Or(cmp.Compare(weight(a.State), weight(b.State)), cmp.Compare(rank(a.Role), rank(b.Role)),
			cmp.Compare(strings.Count(a.Path, "/"), strings.Count(b.Path, "/")))
	})
	return j.verdict(len(failed) > 0), j.details
}

// weight puts warnings behind what fails, and notes behind them.
func weight(s inspect.State) int {
	switch s { //nolint:exhaustive // the others fail
	case inspect.Note:
		return 2
	case inspect.Warning:
		return 1
	}
	return 0
}

// finding is about the image as such.
func (s subject) finding(state inspect.State) inspect.Finding {
	return inspect.Finding{
		State: state, Platform: platform.Format(s.platform), Digest: s.Descriptor.Digest, Claim: platform.Format(s.platform),
	}
}

// name is what messages call the image.
func (s subject) name() string { return platform.Format(s.platform) }

func (j *judgement) add(f inspect.Finding) { j.details = append(j.details, f.Printable()) }

// layers tells which layers could not be read.
func (j *judgement) layers(failed map[int]error) {
	for n := range j.Layers {
		err := failed[n]
		if err == nil {
			continue
		}
		f := j.finding(inspect.StateOf(err))
		f.Layer, f.Evidence, f.Err = j.Layers[n].Digest, "the layer can't be read", err
		f.Message = fmt.Sprintf("%s: layer %d of %d: %v", j.name(), n+1, len(j.Layers), err)
		if unreadable(err) {
			f.Err = nil // no failure of a transport: trying again would not help
		}
		j.add(f)
	}
}

// contents reports tables of contents that say something else than their layers.
func (j *judgement) contents() {
	for n, facts := range j.facts {
		if facts.Table == nil || facts.Table.Differs+facts.Table.Unread == "" {
			continue
		}
		f := j.finding(inspect.Unchecked)
		f.Layer, f.Evidence = j.Layers[n].Digest, cmp.Or(facts.Table.Differs, facts.Table.Unread)
		f.Message = fmt.Sprintf("%s: layer %d of %d: its table of contents could not be compared: %s", j.name(), n+1,
			len(j.Layers), f.Evidence)
		if facts.Table.Differs != "" {
			f.State = inspect.Mismatch
			f.Message = fmt.Sprintf(
				"%s: layer %d of %d: its table of contents, which runtimes that pull lazily go by, is not what is in it: %s",
				j.name(), n+1, len(j.Layers), f.Evidence)
		}
		j.add(f)
	}
}

func unreadable(err error) bool {
	return errors.Is(err, rootfs.ErrUnchecked) || errors.Is(err, rootfs.ErrLimit)
}

// unmerged is the verdict on an image whose layers don't fit each other.
func (j *judgement) unmerged(err error) inspect.Finding {
	f := j.finding(inspect.StateOf(err))
	f.Err, f.Evidence, f.Message = err, "the layers don't fit each other", j.name()+": "+err.Error()
	if unreadable(err) {
		f.Err = nil
	}
	return f.Printable()
}

// files judges the programs that are visible in the image.
func (j *judgement) files() {
	for e := range j.tree.All() {
		if e.Type == rootfs.Program && e.File.Fact != nil && judgeable(*e.File.Fact) && !boots(e.Path, *e.File.Fact) {
			j.programs++
		}
	}
	for e := range j.tree.All() {
		if e.Type != rootfs.Program || e.File.Fact == nil {
			continue
		}
		own, isOwn := j.own[e.Path]
		if isOwn || j.all && judgeable(*e.File.Fact) {
			j.file(e, own.role, isOwn)
		} else if j.all && e.File.Fact.Kind == binary.ELFObject {
			j.object(e)
		}
	}
}

// judgeable leaves out what is neither started nor loaded: unlinked objects, kernel modules, memory of crashed
// programs.
func judgeable(f binary.Fact) bool {
	switch f.Kind {
	case binary.ELFExecutable, binary.ELFShared, binary.PE, binary.MachO:
		return true
	case binary.ELFObject, binary.ELFCore, binary.ELFOther, binary.Other, binary.Script, binary.JavaArchive,
		binary.JavaClass,
		binary.Wasm:
	}
	return false
}

func (j *judgement) file(e rootfs.Entry, role string, owned bool) {
	verdict, _ := j.verdictOn(e)
	if e.File.Problem != "" && judgeable(*e.File.Fact) {
		// The machine comes first: what is odd about a file keeps neither the kernel nor a loader from taking it.
		if verdict != binary.Wrong && verdict != binary.OtherOS {
			j.malformed(e, role, owned)
			return
		}
	}
	if verdict == binary.Silent {
		return
	}
	j.judged++
	if runs(verdict) || j.bootsHere(e) {
		j.right++
	}
	if verdict == binary.Right {
		return
	}
	j.suspect(e, role)
}

// object judges code that is not linked yet. It vouches for an image without programs.
func (j *judgement) object(e rootfs.Entry) {
	switch verdict, _ := binary.Runs(*e.File.Fact, j.platform); {
	case verdict == binary.Wrong:
		j.suspect(e, roleObject)
	case runs(verdict) && j.machines().alone:
		j.judged++
		j.right++
	}
}

// bootsHere reports whether a file is an EFI program for the platform's machine, in an image that is for nothing else.
func (j *judgement) bootsHere(e rootfs.Entry) bool {
	fact := *e.File.Fact
	return fact.OS == "efi" && fact.Arch == j.platform.Architecture && boots(e.Path, fact) && j.machines().alone
}

// runs reports whether the platform runs a program with this verdict, perhaps not on all of its processors.
func runs(v binary.Verdict) bool {
	return v == binary.Right || v == binary.Unstated || v == binary.Compatible || v == binary.Newer
}

// suspect asks the rules what a program is that is not simply right.
func (j *judgement) suspect(e rootfs.Entry, role string) {
	s := j.suspectOf(e)
	rule := s.rule()
	if rule.State == inspect.Note {
		j.excuse(rule, e.Path, s.whole())
		return
	}
	s.unused = rule.State == inspect.Warning
	f := s.wrong(e, cmp.Or(role, s.need.role, roleOf(s.fact)))
	if f.Rule, f.Package = rule.Name, s.pack; s.pack != "" {
		f.Evidence = "for " + s.only
	}
	if rule.State == inspect.Warning && !j.options.Strict {
		f.State = inspect.Warning
	}
	j.add(f)
}

func (j *judgement) suspectOf(e rootfs.Entry) *suspect {
	s := &suspect{judgement: j, path: e.Path, fact: *e.File.Fact}
	s.verdict, s.fault = j.verdictOn(e)
	return s
}

// rule is the first row that covers the file; the last covers all.
func (s *suspect) rule() Rule {
	all := Rules()
	for _, rule := range all {
		if rule.covers(s) {
			return rule
		}
	}
	return all[len(all)-1]
}

// roleOf is the role of a file that nothing is known to start.
func roleOf(f binary.Fact) string {
	if f.Kind == binary.ELFShared && f.Interp == "" {
		return roleShared
	}
	return roleOther
}

// fileFinding is a mismatch about one file.
func (j *judgement) fileFinding(e rootfs.Entry, role string) inspect.Finding {
	f := j.finding(inspect.Mismatch)
	f.Path, f.Layer, f.Role = e.Path, e.Digest, role
	return f
}

// malformed is a note about a broken file, unless the image needs it.
func (j *judgement) malformed(e rootfs.Entry, role string, owned bool) {
	f := j.fileFinding(e, cmp.Or(role, roleOf(*e.File.Fact)))
	if !owned {
		f = f.Note(RuleMalformed)
	}
	f.Evidence = e.File.Problem
	f.Message = fmt.Sprintf("%s: %s /%s: %s", j.name(), article(f.Role), e.Path, e.File.Problem)
	j.add(f)
}
