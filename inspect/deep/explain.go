package deep

import (
	"fmt"
	"strings"

	"mtool/inspect"
	"mtool/inspect/binary"
	"mtool/inspect/rootfs"
)

// explain adds a note for each path in Options.Explain: why the file is needed, and which rule applied to it.
func (j *judgement) explain() {
	for _, path := range j.options.Explain {
		f := j.finding("").Note(RuleExplained)
		f.Path = strings.TrimLeft(path, "/")
		f.Message = j.name() + ": " + j.explanation(f.Path)
		j.add(f)
	}
}

func (j *judgement) explanation(path string) string {
	found, err := j.tree.Lookup(path)
	switch {
	case err != nil:
		return fmt.Sprintf("/%s: %v", path, err)
	case found.Type != rootfs.Program || found.File.Fact == nil:
		return fmt.Sprintf("/%s is not a program (%s), so no rule applies", path, found.Type)
	}
	parts := []string{fmt.Sprintf("/%s: %s (layer %d, %s)", path, found.File.Fact, found.Layer+1,
		inspect.Short(found.Digest))}
	for _, link := range found.Links {
		parts = append(parts, "through the link "+link)
	}
	parts = append(parts, j.chainTo(found.Path)...)
	return strings.Join(append(parts, j.decision(found.Entry)), "; ")
}

// chainTo returns what needs a file, what needs that, and so on.
func (j *judgement) chainTo(path string) (chain []string) {
	const most = 32
	for range most {
		why, ok := j.needs()[path]
		if !ok {
			break
		}
		link := "/" + path + " is needed"
		if why.as != "" {
			link += " as " + why.as
		}
		if why.by == "" {
			return append(chain, link+": the "+why.role+" of the platform's programs")
		}
		chain = append(chain, link+" by "+why.by+" ("+why.rule+")")
		if !strings.HasPrefix(why.by, "/") || why.by == "/"+path {
			break
		}
		path = strings.TrimPrefix(why.by, "/")
	}
	if chain == nil {
		return []string{"nothing is known to start or load it"}
	}
	return chain
}

// decision returns, for messages, the rule that applied to a program.
func (j *judgement) decision(e rootfs.Entry) string {
	s := j.suspectOf(e)
	if s.verdict == binary.Right || s.verdict == binary.Silent {
		return "it fits the platform"
	}
	rule := s.rule()
	return fmt.Sprintf("rule %q applies (%s): %s, since %s", rule.Name, rule.State, rule.Covers, rule.Reason)
}
