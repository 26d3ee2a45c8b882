package compose

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"mtool/inspect"
)

// Adopt copies what the sources say about themselves to a new list: annotations, artifactType, subject and unknown
// members. That works only if a single list is the source and all of its images were taken. For other lists, the
// notes name each member that is not carried over.
func (l List) Adopt(sources []inspect.Report, drop bool) (List, []string) {
	var notes []string
	for _, r := range sources {
		if r.List == nil {
			continue
		}
		members := ownMembers(*r.List)
		switch {
		case len(members) == 0:
		case drop || len(sources) > 1 || !l.holdsAll(r) || l.Type == TypeDocker:
			notes = append(notes, fmt.Sprintf("%q: its %s: not carried", r.Ref, strings.Join(members, ", ")))
		default:
			l = l.adopt(*r.List)
			notes = append(notes, fmt.Sprintf("%q: its %s: kept", r.Ref, strings.Join(members, ", ")))
		}
	}
	return l, notes
}

func (l List) adopt(from inspect.ListFacts) List {
	l.Annotations = maps.Clone(from.Annotations)
	for _, name := range ownMembers(from) {
		if name != annotationsMember {
			l = l.withMember(name, from.Members[name])
		}
	}
	return l
}

func (l List) holdsAll(r inspect.Report) bool {
	return !slices.ContainsFunc(r.Images, func(i inspect.Image) bool {
		return !slices.ContainsFunc(l.Entries, func(e Entry) bool { return e.Digest() == i.Descriptor.Digest })
	})
}

const annotationsMember = "annotations"

// ownMembers returns the names of a list's members other than its rows and those that every list has.
func ownMembers(list inspect.ListFacts) []string {
	var names []string
	for _, name := range slices.Sorted(maps.Keys(list.Members)) {
		switch name {
		case "schemaVersion", "mediaType", "manifests":
		case annotationsMember:
			if len(list.Annotations) > 0 {
				names = append(names, name)
			}
		default:
			names = append(names, name)
		}
	}
	return names
}
