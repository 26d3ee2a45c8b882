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

// judgement is the state of judging one image.
type judgement struct {
	subject
	options    Options
	tree       *rootfs.Tree
	steps      []rootfs.Step
	essential  essentials
	abi        abi
	facts      []rootfs.LayerFacts // by layer
	labelGlobs []Glob
	judgeAll   bool // judge every program, not only those that the image starts
	masks      masks

	// Computed when the first program turns up that does not fit the platform; nil: not computed yet.
	needed       needs
	bySlot       map[string]slot
	userlandDirs []userland
	unlinked     machines
	libDirs      []string // directories in which the loader looks
	pkgs         *packages

	details    []inspect.Finding
	exemptions map[string]*exemption // by the name of the rule
	programs   int                   // all visible programs, judged or not
	judged     int                   // those that state their machine
	right      int                   // those that run on the platform
}

// judge judges the programs of one image.
func judge(s subject, r *reader, o Options) (inspect.Finding, []inspect.Finding) {
	facts, failed := r.factsOf(s)
	j := judgement{
		facts:   facts,
		subject: s, options: o, judgeAll: !r.onlyStarted(s), masks: masks{},
		labelGlobs: s.exemptGlobs(), exemptions: map[string]*exemption{},
	}
	j.reportUnreadLayers(failed)
	j.reportTables()
	trees, err := rootfs.Readings(facts)
	if err != nil {
		return j.unmerged(err), j.details
	}
	j.read(trees[0])
	j.explain()
	r.contents[s.index] = j.inventory()
	for _, tree := range trees[1:] {
		j.readAgain(tree)
	}
	j.reportLabel()
	j.reportExemptions()
	// Plug-ins lie deeper than the libraries that load them, and follow them.
	slices.SortStableFunc(j.details, func(a, b inspect.Finding) int {
		return cmp.Or(cmp.Compare(weight(a.State), weight(b.State)), cmp.Compare(rank(a.Role), rank(b.Role)),
			cmp.Compare(strings.Count(a.Path, "/"), strings.Count(b.Path, "/")))
	})
	return j.verdict(len(failed) > 0), j.details
}

// weight sorts warnings after failures, and notes last.
func weight(s inspect.State) int {
	switch s { //nolint:exhaustive // the others fail
	case inspect.Note:
		return 2
	case inspect.Warning:
		return 1
	}
	return 0
}

// finding returns a finding about the image as a whole.
func (s subject) finding(state inspect.State) inspect.Finding {
	return inspect.Finding{
		State: state, Platform: platform.Format(s.platform), Digest: s.Descriptor.Digest, Claim: platform.Format(s.platform),
	}
}

// name returns how messages name the image.
func (s subject) name() string { return platform.Format(s.platform) }

func (j *judgement) add(f inspect.Finding) { j.details = append(j.details, f.Printable()) }

// reportUnreadLayers reports the layers that could not be read.
func (j *judgement) reportUnreadLayers(failed map[int]error) {
	for n := range j.Layers {
		err := failed[n]
		if err == nil {
			continue
		}
		f := j.finding(inspect.StateOf(err))
		f.Layer, f.Evidence, f.Err = j.Layers[n].Digest, "the layer can't be read", err
		f.Message = fmt.Sprintf("%s: layer %d of %d: %v", j.name(), n+1, len(j.Layers), err)
		if unreadable(err) {
			f.Err = nil // not a failed transport: a retry would not help
		}
		j.add(f)
	}
}

// reportTables reports tables of contents that differ from their layers.
func (j *judgement) reportTables() {
	for n, facts := range j.facts {
		if facts.Table == nil || facts.Table.Differs+facts.Table.Unread == "" {
			continue
		}
		f := j.finding(inspect.Unchecked)
		f.Layer, f.Evidence = j.Layers[n].Digest, cmp.Or(facts.Table.Differs, facts.Table.Unread)
		f.Message = fmt.Sprintf("%s: layer %d of %d: its table of contents could not be compared: %s",
			j.name(), n+1, len(j.Layers), f.Evidence)
		if facts.Table.Differs != "" {
			f.State = inspect.Mismatch
			f.Message = fmt.Sprintf(
				"%s: layer %d of %d: its table of contents, which lazily pulling runtimes trust, differs from the layer: %s",
				j.name(), n+1, len(j.Layers), f.Evidence)
		}
		j.add(f)
	}
}

func unreadable(err error) bool {
	return errors.Is(err, rootfs.ErrUnchecked) || errors.Is(err, rootfs.ErrLimit)
}

// unmerged returns the verdict on an image whose layers can't be merged.
func (j *judgement) unmerged(err error) inspect.Finding {
	f := j.finding(inspect.StateOf(err))
	f.Err, f.Evidence, f.Message = err, "the layers can't be merged", j.name()+": "+err.Error()
	if unreadable(err) {
		f.Err = nil
	}
	return f.Printable()
}

// judgeFiles judges the programs that are visible in the image.
func (j *judgement) judgeFiles() {
	for e := range j.tree.All() {
		if e.Type == rootfs.Program && e.File.Fact != nil && judgeable(*e.File.Fact) && !boots(e.Path, *e.File.Fact) {
			j.programs++
		}
	}
	for e := range j.tree.All() {
		if e.Type != rootfs.Program || e.File.Fact == nil {
			continue
		}
		why, isEssential := j.essential[e.Path]
		if isEssential || j.judgeAll && judgeable(*e.File.Fact) {
			j.judgeFile(e, why.role, isEssential)
		} else if j.judgeAll && e.File.Fact.Kind == binary.ELFObject {
			j.judgeObject(e)
		}
	}
}

// judgeable reports whether a file can be started or loaded. Unlinked objects, kernel modules and core dumps can't.
func judgeable(f binary.Fact) bool {
	switch f.Kind {
	case binary.ELFExecutable, binary.ELFShared, binary.PE, binary.MachO:
		return true
	case binary.ELFObject, binary.ELFCore, binary.ELFOther, binary.Other, binary.Script,
		binary.JavaArchive, binary.JavaClass, binary.Wasm:
	}
	return false
}

func (j *judgement) judgeFile(e rootfs.Entry, role string, isEssential bool) {
	verdict, _ := j.verdictOn(e)
	if e.File.Problem != "" && judgeable(*e.File.Fact) {
		// A wrong machine comes first: kernels and loaders accept many a malformed file.
		if verdict != binary.Wrong && verdict != binary.OtherOS {
			j.reportMalformed(e, role, isEssential)
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
	j.judgeSuspect(e, role)
}

// judgeObject judges unlinked code. In an image without programs it counts as proof of the platform.
func (j *judgement) judgeObject(e rootfs.Entry) {
	switch verdict, _ := binary.Runs(*e.File.Fact, j.platform); {
	case verdict == binary.Wrong:
		j.judgeSuspect(e, roleObject)
	case runs(verdict) && j.machines().noPrograms:
		j.judged++
		j.right++
	}
}

// bootsHere reports whether a file is an EFI program for the platform's machine, in an image without other programs.
func (j *judgement) bootsHere(e rootfs.Entry) bool {
	fact := *e.File.Fact
	return fact.OS == "efi" && fact.Arch == j.platform.Architecture && boots(e.Path, fact) && j.machines().noPrograms
}

// runs reports whether the platform runs a program with this verdict, if only on some of its processors.
func runs(v binary.Verdict) bool {
	return v == binary.Right || v == binary.Unstated || v == binary.Compatible || v == binary.Newer
}

// judgeSuspect applies the rules to a program that does not simply fit the platform.
func (j *judgement) judgeSuspect(e rootfs.Entry, role string) {
	s := j.suspectOf(e)
	rule := s.rule()
	if rule.State == inspect.Note {
		j.exempt(rule, e.Path, s.summary())
		return
	}
	s.unused = rule.State == inspect.Warning
	f := s.mismatch(e, cmp.Or(role, s.need.role, roleOf(s.fact)))
	if f.Rule, f.Package = rule.Name, s.pkg; s.pkg != "" {
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

// rule returns the first rule that covers the file. The last one covers every file.
func (s *suspect) rule() Rule {
	all := Rules()
	for _, rule := range all {
		if rule.covers(s) {
			return rule
		}
	}
	return all[len(all)-1]
}

// roleOf returns the role of a file that nothing is known to start.
func roleOf(f binary.Fact) string {
	if f.Kind == binary.ELFShared && f.Interp == "" {
		return roleShared
	}
	return roleOther
}

// fileFinding returns a mismatch about one file.
func (j *judgement) fileFinding(e rootfs.Entry, role string) inspect.Finding {
	f := j.finding(inspect.Mismatch)
	f.Path, f.Layer, f.Role = e.Path, e.Digest, role
	return f
}

// reportMalformed reports a broken file: as a mismatch if the image needs it, else as a note.
func (j *judgement) reportMalformed(e rootfs.Entry, role string, isEssential bool) {
	f := j.fileFinding(e, cmp.Or(role, roleOf(*e.File.Fact)))
	if !isEssential {
		f = f.Note(RuleMalformed)
	}
	f.Evidence = e.File.Problem
	f.Message = fmt.Sprintf("%s: %s /%s: %s", j.name(), article(f.Role), e.Path, e.File.Problem)
	j.add(f)
}
