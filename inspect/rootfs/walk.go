package rootfs

import (
	"fmt"
	"strings"
)

// maxLinks is how many symbolic links Linux follows on one way (MAXSYMLINKS).
const maxLinks = 40

// walk is one way through a tree of nodes. Symbolic links stay inside the root, and so does "..".
type walk struct {
	way    []*node  // from the root on
	names  []string // of way, without the root's
	links  []string // passed, as "bin -> usr/bin"
	passed []step   // what links are
	bytes  int64    // of their targets
	// mkdir makes a directory where there is none, or a whiteout; nil: it is an error.
	mkdir func(in *node, name string) (*node, error)
	// strict refuses ".." wherever runtimes differ: some take the name before away, and some ask where its link leads.
	strict bool
	named  bool // a name was passed since the last link
}

// step is a name in a directory, and what it was.
type step struct {
	in   *node
	name string
	n    *node
}

func newWalk(root *node) *walk { return &walk{way: []*node{root}} }

func (w *walk) here() *node { return w.way[len(w.way)-1] }

// path is where the walk is, without links.
func (w *walk) path() string { return strings.Join(w.names, "/") }

// to goes to path and follows all links; the last one only if it is asked for or more than its name was asked for.
func (w *walk) to(path string, last bool) error {
	rest := path
	if strings.HasPrefix(rest, "/") {
		w.back(0)
	}
	w.named = false
	for rest != "" {
		var name string
		var more bool
		name, rest, more = strings.Cut(rest, "/")
		switch name {
		case "", ".":
		case "..":
			if err := w.up(); err != nil {
				return err
			}
		default:
			target, err := w.step(name, last || more)
			if err != nil {
				return err
			}
			if w.named = target == ""; w.named {
				break
			}
			if strings.HasPrefix(target, "/") {
				w.back(0)
			}
			if rest = target + "/" + rest; !more {
				rest = target
			}
		}
		if more && !w.here().dir {
			return fmt.Errorf("%w: %q is no directory", ErrMissing, "/"+w.path())
		}
	}
	return nil
}

// step goes into name, or returns where the link of that name leads.
func (w *walk) step(name string, follow bool) (target string, err error) {
	in := w.here()
	if !in.dir {
		return "", fmt.Errorf("%w: %q is no directory", ErrMissing, "/"+w.path())
	}
	kid := in.kid(name)
	if (kid == nil || kid.gone) && w.mkdir != nil {
		if kid, err = w.mkdir(in, name); err != nil {
			return "", err
		}
	}
	if kid == nil || kid.gone && follow {
		return "", fmt.Errorf("%w: no %q", ErrMissing, "/"+join(w.path(), name))
	}
	if kid.isLink() && follow {
		if len(w.links) >= maxLinks {
			return "", fmt.Errorf("%w of symbolic links: more than %d", ErrLoop, maxLinks)
		}
		w.links = append(w.links, join(w.path(), name)+" -> "+kid.file.Target)
		w.passed = append(w.passed, step{in, name, kid})
		w.bytes += int64(len(kid.file.Target))
		return kid.file.Target, nil
	}
	w.way, w.names = append(w.way, kid), append(w.names, name)
	return "", nil
}

// up goes to the parent, as the links in the way of an entry ask for it.
func (w *walk) up() error {
	if w.strict && (w.named || len(w.links) > 1 || w.here().implied) {
		return ambiguous(w.path(), "a link leads out of it by \"..\"")
	}
	w.back(max(0, len(w.names)-1))
	return nil
}

// holds marks all directories on the way: see node.
func (w *walk) holds() {
	for _, dir := range w.way {
		dir.holds = true
	}
}

// back returns to the directory at depth.
func (w *walk) back(depth int) { w.way, w.names = w.way[:depth+1], w.names[:depth] }
