package inspect

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"mtool/inspect/binary"
	"mtool/inspect/platform"
)

// lines returns the history of the n layers, one line each; none when the numbers differ.
func (d Details) lines(n int) []string {
	var lines []string
	for _, h := range d.history {
		if !h.EmptyLayer {
			lines = append(lines, h.CreatedBy)
		}
	}
	if len(lines) != n {
		return nil
	}
	return lines
}

// foreignBases notes images whose base has a name, label or history that names another architecture, and none that
// names theirs.
func (c *checker) foreignBases() {
	for _, i := range c.report.Images {
		if p := i.Claim(); i.Err == nil && p.OS == "linux" && p.Architecture != "" {
			c.foreignBase(i, platform.Normalize(p).Architecture)
		}
	}
}

func (c *checker) foreignBase(i Image, arch string) {
	d := i.details()
	says := []struct{ what, text string }{
		{"its base is called", i.Base().Name},
		{"its label says architecture", d.Labels["architecture"]},
	}
	for _, h := range d.history {
		if word := target(h.CreatedBy); word != "" {
			says = append(says, struct{ what, text string }{"a step of its build says", word})
		}
	}
	if lines := d.lines(len(i.Layers)); len(lines) > 0 {
		says = append(says, struct{ what, text string }{"its lowest layer was made by", withoutBuilder(lines[0])})
	}
	for _, s := range says {
		other := binary.Foreign(s.text, arch)
		if other == "" {
			continue
		}
		p := platform.Format(i.Claim())
		c.add(Finding{
			Suspicion: true, Platform: p, Digest: i.Descriptor.Digest, Claim: describe(i.Claim()),
			Evidence: s.what + " " + clipped(s.text),
			Message: fmt.Sprintf("%s (%s): %s %s, which names %s", p, Short(i.Descriptor.Digest), s.what,
				clipped(s.text), other),
		}.Note(RuleForeignBase))
		return // one is enough
	}
}

// target returns the architecture that a step was told to build for: TARGETARCH=arm64. What it was told to build on
// (BUILDARCH) does not matter.
func target(line string) string {
	for word := range strings.FieldsSeq(line) {
		if strings.HasPrefix(word, "TARGETARCH=") || strings.HasPrefix(word, "TARGETPLATFORM=") {
			return word
		}
	}
	return ""
}

// withoutBuilder returns a step without the words about the machine that built it.
func withoutBuilder(line string) string {
	words := slices.DeleteFunc(strings.Fields(line), func(word string) bool { return strings.HasPrefix(word, "BUILD") })
	return strings.Join(words, " ")
}

func clipped(s string) string {
	const most = 80
	if s = strings.Join(strings.Fields(s), " "); len(s) > most {
		s = s[:most] + "…"
	}
	return fmt.Sprintf("%q", s)
}

// sharedBaseDigests notes machines that name one base image, when others of the list name their own. If all name the
// same one, it is the base's list.
func (c *checker) sharedBaseDigests() {
	digest := func(i Image) string { return i.Base().Digest }
	all := groups(c.report.Images, digest)
	if len(all) < 2 {
		return
	}
	for _, g := range all {
		if len(g.distinct(byMachine)) < 2 {
			continue
		}
		base := digest(g.images[0])
		names := strings.Join(g.platforms(), ", ")
		c.add(Finding{
			Suspicion: true, Digest: g.images[0].Descriptor.Digest, Claim: names + " (list)",
			Evidence: "they name one base, " + base,
			Message: fmt.Sprintf(
				"%s name one base image, %s, where others of the list have their own: that of one machine for all of them", names,
				clipped(base)),
		}.Note(RuleOneBase))
	}
}

// sharedPrograms notes layers above the lowest that different machines have in common, and whose history names the
// program that they start. A layer is compared uncompressed.
func (c *checker) sharedPrograms() {
	var all []group
	index := map[string]int{}
	for _, i := range (group{images: c.report.Images}).distinct(byLayers) {
		for _, key := range programLayers(i) {
			n, seen := index[key]
			if !seen {
				n, index[key] = len(all), len(all)
				all = append(all, group{})
			}
			all[n].images = append(all[n].images, i)
		}
	}
	for _, g := range all {
		names := g.platforms()
		if len(names) < 2 || len(g.distinct(byMachine)) < 2 {
			continue
		}
		program := g.images[0].details().program()
		text := strings.Join(names, ", ")
		c.add(Finding{
			Suspicion: true, Digest: g.images[0].Descriptor.Digest, Claim: text + " (list)",
			Evidence: "they share the layer of " + program,
			Message: fmt.Sprintf("%s share the layer that has %s, which they start: right only if it is a script", text,
				clipped(program)),
		}.Note(RuleSharedProgram))
	}
}

// programLayers returns the diffIDs of the layers that bring what the image starts, according to their history.
func programLayers(i Image) (keys []string) {
	d := i.details()
	lines := d.lines(len(i.Layers))
	if len(d.DiffIDs) != len(lines) || d.program() == "" {
		return nil
	}
	for n, line := range lines {
		if n == 0 {
			continue // sharedBases reports it
		}
		if d.copiesProgram(line) {
			keys = append(keys, d.DiffIDs[n].String())
		}
	}
	return keys
}

// copiesProgram reports whether a step copies something with the name of what the image starts, or copies to that name.
// /usr/share/doc/app is not the place of /usr/bin/app.
func (d Details) copiesProgram(line string) bool {
	line, _, _ = strings.Cut(line, " # ") // what BuildKit adds
	words := strings.Fields(line)
	if !strings.Contains(line, "COPY") && !strings.Contains(line, "ADD") || len(words) == 0 {
		return false
	}
	names := func(word string) bool { return path.Base(strings.Trim(word, `"',[]`)) == d.program() }
	last := len(words) - 1
	return slices.ContainsFunc(words[:last], names) || names(words[last]) && !d.startsOutside(words[last])
}

// startsOutside reports whether what the image starts is neither dir nor below it, as far as both are absolute paths.
func (d Details) startsOutside(dir string) bool {
	program := slices.Concat(d.Entrypoint, d.Cmd)[0]
	dir = path.Clean(strings.Trim(dir, `"',[]`))
	return path.IsAbs(program) && path.IsAbs(dir) && !strings.HasPrefix(path.Clean(program)+"/", dir+"/")
}

// program returns the name of what the image starts; "" when there is none, or the name is a script's.
func (d Details) program() string {
	for _, word := range slices.Concat(d.Entrypoint, d.Cmd) {
		switch name := path.Base(word); path.Ext(name) {
		case ".sh", ".py", ".js", ".mjs", ".rb", ".pl", ".jar", ".php":
			return ""
		default:
			return name
		}
	}
	return ""
}
