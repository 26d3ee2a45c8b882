package rootfs

import (
	"iter"
	"strings"
)

// Paths here are clean and have no leading slash; "" is the root.

func join(dir, name string) string {
	if dir == "" {
		return name
	}
	return dir + "/" + name
}

// parent returns the directory of path.
func parent(path string) string { return path[:max(0, strings.LastIndexByte(path, '/'))] }

// base returns the last name of path.
func base(path string) string { return path[strings.LastIndexByte(path, '/')+1:] }

// parts yields the names in a path, or those of a Folder.
func parts(path string) iter.Seq[string] {
	return func(yield func(string) bool) {
		for more := path != ""; more; {
			var name string
			if name, path, more = strings.Cut(path, "/"); !yield(name) {
				return
			}
		}
	}
}
