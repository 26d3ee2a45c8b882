package rootfs

import (
	"fmt"
	"strings"
)

// maxLinks is how many symbolic links Linux follows in one path (MAXSYMLINKS).
const maxLinks = 40

// walk resolves a path in a tree of nodes. Symbolic links and ".." do not leave the root.
type walk struct {
	nodes     []*node  // from the root to the current one
	names     []string // of nodes, without the root's
	links     []string // followed links, as "bin -> usr/bin"
	linkSteps []step   // the followed links
	bytes     int64    // total length of their targets
	// mkdir creates a missing directory, also over a whiteout; nil: a missing directory is an error.
	mkdir func(in *node, name string) (*node, error)
	// strict refuses ".." where runtimes differ: some remove the name before it, and some follow the link of that name.
	strict bool
	named  bool // a name followed the last link
}

// step is a name in a directory, and what it was.
type step struct {
	in   *node
	name string
	n    *node
}

func newWalk(root *node) *walk { return &walk{nodes: []*node{root}} }

func (w *walk) current() *node { return w.nodes[len(w.nodes)-1] }

// path returns the current path, without links.
func (w *walk) path() string { return strings.Join(w.names, "/") }

// to goes to path and follows all links; the last one only if last is set, or if a slash follows it.
func (w *walk) to(path string, last bool) error {
	rest := path
	if strings.HasPrefix(rest, "/") {
		w.truncate(0)
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
				w.truncate(0)
			}
			if rest = target + "/" + rest; !more {
				rest = target
			}
		}
		if more && !w.current().dir {
			return fmt.Errorf("%w: %q is not a directory", ErrMissing, "/"+w.path())
		}
	}
	return nil
}

// step goes to name, or returns the target of the link of that name.
func (w *walk) step(name string, follow bool) (target string, err error) {
	in := w.current()
	if !in.dir {
		return "", fmt.Errorf("%w: %q is not a directory", ErrMissing, "/"+w.path())
	}
	child := in.child(name)
	if (child == nil || child.gone) && w.mkdir != nil {
		if child, err = w.mkdir(in, name); err != nil {
			return "", err
		}
	}
	if child == nil || child.gone && follow {
		return "", fmt.Errorf("%w: no %q", ErrMissing, "/"+join(w.path(), name))
	}
	if child.isLink() && follow {
		if len(w.links) >= maxLinks {
			return "", fmt.Errorf("%w of symbolic links: more than %d", ErrLoop, maxLinks)
		}
		w.links = append(w.links, join(w.path(), name)+" -> "+child.file.Target)
		w.linkSteps = append(w.linkSteps, step{in, name, child})
		w.bytes += int64(len(child.file.Target))
		return child.file.Target, nil
	}
	w.nodes, w.names = append(w.nodes, child), append(w.names, name)
	return "", nil
}

// up goes to the parent.
func (w *walk) up() error {
	if w.strict && (w.named || len(w.links) > 1 || w.current().implied) {
		return ambiguous(w.path(), "a link leads out of it by \"..\"")
	}
	w.truncate(max(0, len(w.names)-1))
	return nil
}

// markAffecting marks all directories in the path: see node.affectsLower.
func (w *walk) markAffecting() {
	for _, dir := range w.nodes {
		dir.affectsLower = true
	}
}

// truncate goes back to the directory at depth.
func (w *walk) truncate(depth int) { w.nodes, w.names = w.nodes[:depth+1], w.names[:depth] }
