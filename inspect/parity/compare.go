package parity

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"mtool/inspect"
	"mtool/inspect/platform"
)

// Entry is an image of a list and its contents.
type Entry struct {
	Image    *inspect.Image
	Contents inspect.Contents
}

// Difference is a property in which images of one list differ.
type Difference struct {
	Rule string // one of Rules
	What string // for messages: "label org.opencontainers.image.version", "package curl", "program jq"
	// Values has the value of each image by its platform, "" for none.
	Values []Value
}

// Value is the value of the image for one platform.
type Value struct{ Platform, Value string }

// side is one of the compared images.
type side struct {
	name string
	arch string
	*Entry
	details inspect.Details
}

// Compare returns the differences between the images for one system, in the order of Rules. Second images for a
// platform and unreadable images are left out: they have their own findings.
func Compare(entries []Entry) (all []Difference) {
	var systems []string
	groups := map[string][]side{}
	for n := range entries {
		e := &entries[n]
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

// difference returns the difference in the compared values, if there is one. The result has the shown values.
func difference(rule, what string, sides []side, compared, shown func(side) string) []Difference {
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

// maxApart is how far apart in time the images of a list may be built.
const maxApart = 30 * 24 * time.Hour

// created compares when the images were built. Times before 1981 count as none: reproducible builds write them.
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
	if last.Sub(first) <= maxApart {
		return nil
	}
	return difference(RuleCreated, "created", sides, func(s side) string { return s.name }, at)
}

// Findings returns the differences as findings about the list: mismatches if the images must be the same, otherwise
// notes about the important ones. Programs or packages that the same images have are one finding.
func Findings(report inspect.Report, entries []Entry, same bool) (all []inspect.Finding, differences []Difference) {
	differences = Compare(entries)
	for _, d := range joinContents(differences) {
		f := inspect.Finding{
			State: inspect.Mismatch, Rule: d.Rule, Digest: report.Root.Digest, Claim: "one program for all platforms",
			Evidence: d.What, Message: d.String(),
		}
		switch {
		case same:
			all = append(all, f.Printable())
		case d.deservesNote():
			all = append(all, f.Note(d.Rule).Printable())
		}
	}
	if f, unread := unreadDatabases(report, entries); same && unread {
		all = append(all, f.Printable())
	}
	for _, e := range entries {
		if p := e.Image.Platform(); same && len(entries) > 1 && e.Image.Err == nil && !e.Contents.Whole {
			all = append(all, inspect.Finding{
				State: inspect.Unchecked, Rule: RuleUnread, Platform: platform.Format(p), Digest: e.Image.Descriptor.Digest,
				Message: platform.Format(p) +
					": not checked: its layers were not read to their end, so its programs could not be compared",
			}.Printable())
		}
	}
	return all, differences
}

// unreadDatabases returns a note about images whose packages are not known, if there are several images.
func unreadDatabases(report inspect.Report, entries []Entry) (inspect.Finding, bool) {
	var names []string
	path, why := "", ""
	for _, e := range entries {
		if e.Contents.Unread != "" {
			names, path, why = append(names, platform.Format(e.Image.Platform())), e.Contents.Unread, e.Contents.UnreadWhy
		}
	}
	return inspect.Finding{
		Digest: report.Root.Digest, Path: path, Claim: "one program for all platforms",
		Evidence: "a database that was not read",
		Message: fmt.Sprintf("%s: packages not compared: /%s is an RPM database, %s", strings.Join(names, ", "),
			path, why),
	}.Note(RuleListing), path != "" && len(entries) > 1
}

// maxNamed is how many programs or packages are named in one finding.
const maxNamed = 5

// joinContents joins the programs, and the packages, that the same images have: "programs jq, yq".
func joinContents(all []Difference) (some []Difference) {
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
		if counts[n] < maxNamed {
			some[n].What += ", " + name
		}
	}
	for n, more := range counts {
		if more >= maxNamed {
			some[n].What += fmt.Sprintf(" and %d more", more-maxNamed+1)
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

// deservesNote reports whether a difference is noted even if the images need not be the same: one in stated values,
// or in programs.
func (d Difference) deservesNote() bool {
	switch d.Rule {
	case RuleCreated, RuleProgram:
		return true
	case RuleLabel:
		return !strings.HasSuffix(d.What, sourceLabel) &&
			!slices.ContainsFunc(d.Values, func(v Value) bool { return v.Value == "" })
	}
	return false
}

// String returns the difference in one line.
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
