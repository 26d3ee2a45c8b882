package parity

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"mtool/inspect"
	"mtool/inspect/platform"
)

// Entry is an image of a list and what its layers hold.
type Entry struct {
	Image    inspect.Image
	Contents inspect.Contents
}

// Difference is something in which images of one list differ.
type Difference struct {
	Rule string // of Rules
	What string // for people: "label org.opencontainers.image.version", "package curl", "program jq"
	// Values are what each image has, "" for nothing, by its platform.
	Values []Value
}

// Value is what the image of one platform has.
type Value struct{ Platform, Value string }

// side is an image, as it is compared.
type side struct {
	name string
	arch string
	Entry
	details inspect.Details
}

// Compare tells what differs between the images for one system, in the order of Rules. Copies of one platform, and what
// could not be read, are left out: they have findings of their own.
func Compare(entries []Entry) (all []Difference) {
	var systems []string
	groups := map[string][]side{}
	for _, e := range entries {
		p := e.Image.Platform()
		details, err := e.Image.Details()
		s := side{platform.Format(p), p.Architecture, e, details}
		twice := slices.ContainsFunc(groups[p.OS], func(o side) bool { return o.name == s.name })
		if e.Image.Err != nil || err != nil || platform.IsUnknown(p) || twice {
			continue
		}
		if groups[p.OS] == nil {
			systems = append(systems, p.OS)
		}
		groups[p.OS] = append(groups[p.OS], s)
	}
	for _, os := range systems {
		if len(groups[os]) > 1 {
			all = append(all, compare(groups[os])...)
		}
	}
	return all
}

func compare(sides []side) (all []Difference) {
	all = append(all, labels(sides)...)
	all = append(all, created(sides)...)
	whole := !slices.ContainsFunc(sides, func(s side) bool { return !s.Contents.Whole })
	if whole {
		all = append(all, programs(sides)...)
		all = append(all, packages(sides)...)
	}
	return append(all, config(sides)...)
}

// differing is the difference of what the sides have, as it is compared, if there is one; shown is what people see.
func differing(rule, what string, sides []side, compared, shown func(side) string) []Difference {
	d := Difference{Rule: rule, What: what}
	differ := false
	for _, s := range sides {
		differ = differ || compared(s) != compared(sides[0])
		d.Values = append(d.Values, Value{s.name, shown(s)})
	}
	if !differ {
		return nil
	}
	return []Difference{d}
}

// apart is how far the images of a list may be apart in time.
const apart = 30 * 24 * time.Hour

// created compares when the images were made. Times before 1981 stand for none: builds that can be repeated write them.
func created(sides []side) []Difference {
	var first, last time.Time
	at := func(s side) string {
		if t := s.details.Created; t.Year() > 1980 {
			return t.UTC().Format(time.DateOnly)
		}
		return ""
	}
	for _, s := range sides {
		if t := s.details.Created; at(s) != "" {
			if first.IsZero() || t.Before(first) {
				first = t
			}
			if t.After(last) {
				last = t
			}
		}
	}
	if last.Sub(first) <= apart {
		return nil
	}
	return differing(RuleCreated, "created", sides, func(s side) string { return s.name }, at)
}

// Findings are the differences as findings about the list: mismatches where the images must be the same, else notes of
// those that are worth one. Programs and packages that the same images have are one finding.
func Findings(report inspect.Report, entries []Entry, same bool) (all []inspect.Finding, differences []Difference) {
	differences = Compare(entries)
	for _, d := range together(differences) {
		f := inspect.Finding{
			State: inspect.Mismatch, Rule: d.Rule, Digest: report.Root.Digest, Claim: "one program for all platforms",
			Evidence: d.What, Message: d.String(),
		}
		switch {
		case same:
			all = append(all, f.Printable())
		case d.worthNote():
			all = append(all, f.Note(d.Rule).Printable())
		}
	}
	if f, unread := unlisted(report, entries); same && unread {
		all = append(all, f.Printable())
	}
	for _, e := range entries {
		if p := e.Image.Platform(); same && len(entries) > 1 && e.Image.Err == nil && !e.Contents.Whole {
			all = append(all, inspect.Finding{
				State: inspect.Unchecked, Rule: RuleUnread, Platform: platform.Format(p), Digest: e.Image.Descriptor.Digest,
				Message: platform.Format(p) +
					": not checked: its layers were not read to their end, so that its programs could not be compared",
			}.Printable())
		}
	}
	return all, differences
}

// unlisted is a note about images whose packages are not known, if there are several images.
func unlisted(report inspect.Report, entries []Entry) (inspect.Finding, bool) {
	var names []string
	path, why := "", ""
	for _, e := range entries {
		if e.Contents.Unread != "" {
			names, path, why = append(names, platform.Format(e.Image.Platform())), e.Contents.Unread, e.Contents.UnreadWhy
		}
	}
	return inspect.Finding{
		Digest: report.Root.Digest, Path: path, Claim: "one program for all platforms",
		Evidence: "a database that is not read",
		Message: fmt.Sprintf("%s: packages not compared: /%s is a database of RPM, %s", strings.Join(names, ", "),
			path, why),
	}.Note(RuleListing), path != "" && len(entries) > 1
}

// few is how many programs and packages are named of those that the same images have.
const few = 5

// together joins the programs, and the packages, that the same images have: "programs jq, yq".
func together(all []Difference) (some []Difference) {
	index := map[string]int{}
	counts := map[int]int{}
	for _, d := range all {
		if d.Rule != RuleProgram && d.Rule != RulePackage {
			some = append(some, d)
			continue
		}
		has := []string{d.Rule}
		for _, v := range d.Values {
			has = append(has, fmt.Sprint(v.Platform, v.Value != ""))
		}
		key := strings.Join(has, " ")
		n, seen := index[key]
		if !seen {
			index[key] = len(some)
			some = append(some, d)
			continue
		}
		kind, name, _ := strings.Cut(d.What, " ")
		if counts[n]++; counts[n] == 1 {
			some[n].What = strings.Replace(some[n].What, kind, kind+"s", 1)
		}
		if counts[n] < few {
			some[n].What += ", " + name
		}
	}
	for n, more := range counts {
		if more >= few {
			some[n].What += fmt.Sprintf(" and %d more", more-few+1)
		}
		some[n].Values = slices.Clone(some[n].Values)
		for i, v := range some[n].Values {
			if v.Value != "" {
				some[n].Values[i].Value = "has them"
			}
		}
	}
	return some
}

// worthNote reports whether a difference is told to those who have not asked: one of stated values, or of programs.
func (d Difference) worthNote() bool {
	switch d.Rule {
	case RuleCreated, RuleProgram:
		return true
	case RuleLabel:
		return !strings.HasSuffix(d.What, sourceLabel) &&
			!slices.ContainsFunc(d.Values, func(v Value) bool { return v.Value == "" })
	}
	return false
}

// String is the difference in one line.
func (d Difference) String() string {
	var have, each, lack []string
	for _, v := range d.Values {
		if v.Value == "" {
			lack = append(lack, v.Platform)
			continue
		}
		have, each = append(have, v.Platform), append(each, v.Platform+" "+v.Value)
	}
	switch {
	case len(lack) == 0:
		return fmt.Sprintf("%s differs: %s", d.What, strings.Join(each, "; "))
	case d.Rule == RuleProgram || d.Rule == RulePackage:
		return fmt.Sprintf("%s: in %s, not in %s", d.What, strings.Join(have, ", "), strings.Join(lack, ", "))
	}
	return fmt.Sprintf("%s differs: %s; none in %s", d.What, strings.Join(each, "; "), strings.Join(lack, ", "))
}
