package print

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"mtool/cmd/internal/app"
	"mtool/inspect"
)

// barWidth is the length of the bar of the largest layer, in characters.
const barWidth = 20

// leaf is a line of a tree, and what hangs below it.
type leaf struct {
	text string
	kids []leaf
}

// drawing is how a tree is drawn on a screen.
type drawing struct {
	fork, last, down, bar string
	digest                func(v1.Hash) string
	state                 func(string) string
}

func drawingOn(w io.Writer) drawing {
	d := drawing{"├─ ", "└─ ", "│  ", "█", v1.Hash.String, func(s string) string { return s }}
	s := screen(w)
	if s.ASCII && s.Width > 0 {
		d.fork, d.last, d.down, d.bar = "|- ", "`- ", "|  ", "#"
	}
	if !s.Whole {
		d.digest = inspect.Short
	}
	if s.Marks {
		d.state = func(state string) string { return toneOf(state).mark(s.ASCII) + " " + state }
	}
	return d
}

// Tree prints a list, its images, and their layers, with bars as long as the layers are large. A layer that several
// images have names the others.
func Tree(w io.Writer, seen []app.Inspection) error {
	for i, s := range seen {
		if i > 0 {
			printf(w, "\n")
		}
		if s.Unread != "" {
			printf(w, "%s  %s\n", s.Unread, s.Findings[0].State)
			continue
		}
		d := drawingOn(w)
		side(w, s.Report.Ref.Name(), s.Report.Root.Digest.String(), mediaWords(s.Report.Root.MediaType))
		d.branches(w, "", d.tree(s))
		if err := errors.Join(proof(w, s, false), differences(w, s)); err != nil {
			return err
		}
	}
	if len(seen) == 0 {
		return nil
	}
	printf(w, "\n")
	Paragraph(w, lastLine(seen))
	return nil
}

func (d drawing) branches(w io.Writer, indent string, leaves []leaf) {
	for i, l := range leaves {
		fork, next := d.fork, d.down
		if i == len(leaves)-1 {
			fork, next = d.last, "   "
		}
		lines := []string{strings.TrimRight(l.text, " ")}
		if most := screen(w).Width; most > 0 {
			lines = wrap(Line(lines[0]), max(shortest, most-len([]rune(indent+fork))), ",", false)
		}
		for n, line := range lines {
			if n > 0 {
				fork = next
			}
			printf(w, "%s%s%s\n", indent, fork, line)
		}
		d.branches(w, indent+next, l.kids)
	}
}

func (d drawing) tree(s app.Inspection) (leaves []leaf) {
	t := treeOf(s.Report)
	for i, img := range s.Report.Images {
		l := leaf{text: fmt.Sprintf("%s  %s  %s  %s", shownPlatform(img), d.state(shownState(s, i)),
			d.digest(img.Descriptor.Digest), sizeOf(img))}
		for _, list := range img.Nested {
			l.kids = append(l.kids, leaf{text: "in the nested list " + d.digest(list)})
		}
		for _, layer := range img.Layers {
			l.kids = append(l.kids, leaf{text: d.layer(t, i, layer)})
		}
		for _, a := range img.Attestations {
			l.kids = append(l.kids, d.attachment("attestation", a))
		}
		for _, a := range img.Artifacts {
			l.kids = append(l.kids, d.attachment("artifact", a))
		}
		leaves = append(leaves, l)
	}
	for _, o := range s.Report.Others {
		label := "other"
		if o.IsArtifact() {
			label = strings.TrimSpace(artifactPlatform(o) + "  artifact")
		}
		leaves = append(leaves, d.attachment(label, o))
	}
	return leaves
}

func (d drawing) attachment(label string, a inspect.Attachment) leaf {
	return leaf{
		text: strings.TrimSpace(fmt.Sprintf("%s  %s  %s  %s", label, d.digest(a.Descriptor.Digest),
			inspect.Bytes(a.Size()), cmp.Or(statementWords(a), artifactType(a)))),
	}
}

// layerTree knows which images have a layer, and how large the largest is.
type layerTree struct {
	images  []inspect.Image
	having  map[v1.Hash][]int
	largest int64
}

func treeOf(r inspect.Report) layerTree {
	t := layerTree{images: r.Images, having: map[v1.Hash][]int{}, largest: 1}
	for i, img := range r.Images {
		for _, l := range img.Layers {
			t.largest = max(t.largest, l.Size)
			if !slices.Contains(t.having[l.Digest], i) {
				t.having[l.Digest] = append(t.having[l.Digest], i)
			}
		}
	}
	return t
}

func (d drawing) layer(t layerTree, image int, l v1.Descriptor) string {
	bar := strings.Repeat(d.bar, int((barWidth*l.Size+t.largest-1)/t.largest))
	text := fmt.Sprintf("%s  %8s  %s", d.digest(l.Digest), inspect.Bytes(l.Size), bar)
	var others []string
	for _, i := range t.having[l.Digest] {
		if i != image {
			others = append(others, dash(platformOf(t.images[i])))
		}
	}
	if len(others) > 0 {
		text += "  shared with " + commas(others)
	}
	return text
}
