package print

import (
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

// Tree prints a list, its images, and their layers, with bars as long as the layers are large; a layer that several images
// have names the others.
func Tree(w io.Writer, seen []app.Inspection) error {
	for i, s := range seen {
		if i > 0 {
			printf(w, "\n")
		}
		if s.Unread != "" {
			printf(w, "%s  %s\n", s.Unread, s.Findings[0].State)
			continue
		}
		printf(w, "%s  %s  %s\n", s.Report.Ref.Name(), s.Report.Root.Digest, mediaWords(s.Report.Root.MediaType))
		branches(w, "", tree(s))
		if err := errors.Join(proof(w, s, false), differences(w, s)); err != nil {
			return err
		}
	}
	if len(seen) == 0 {
		return nil
	}
	printf(w, "\n%s\n", lastLine(seen))
	return nil
}

func branches(w io.Writer, indent string, leaves []leaf) {
	for i, l := range leaves {
		fork, next := "├─ ", "│  "
		if i == len(leaves)-1 {
			fork, next = "└─ ", "   "
		}
		printf(w, "%s\n", strings.TrimRight(indent+fork+l.text, " "))
		branches(w, indent+next, l.kids)
	}
}

func tree(s app.Inspection) (leaves []leaf) {
	t := treeOf(s.Report)
	for i, img := range s.Report.Images {
		l := leaf{text: fmt.Sprintf("%s  %s  %s  %s", dash(platformOf(img)), img.Descriptor.Digest, sizeOf(img), shownState(s, i))}
		for _, d := range img.Nested {
			l.kids = append(l.kids, leaf{text: "in the nested list " + d.String()})
		}
		for _, layer := range img.Layers {
			l.kids = append(l.kids, leaf{text: t.layer(i, layer)})
		}
		for _, a := range img.Attestations {
			l.kids = append(l.kids, attachmentLeaf("attestation", a))
		}
		for _, a := range img.Artifacts {
			l.kids = append(l.kids, attachmentLeaf("artifact", a))
		}
		leaves = append(leaves, l)
	}
	for _, o := range s.Report.Others {
		leaves = append(leaves, attachmentLeaf("other", o))
	}
	return leaves
}

func attachmentLeaf(label string, a inspect.Attachment) leaf {
	return leaf{text: strings.TrimSpace(fmt.Sprintf("%s  %s  %s  %s", label, a.Descriptor.Digest, inspect.Bytes(a.Descriptor.Size), statementWords(a)))}
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

func (t layerTree) layer(image int, l v1.Descriptor) string {
	bar := strings.Repeat("█", int((barWidth*l.Size+t.largest-1)/t.largest))
	text := fmt.Sprintf("%s  %8s  %s", l.Digest, inspect.Bytes(l.Size), bar)
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
