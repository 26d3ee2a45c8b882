package deep

import (
	"maps"
	"slices"
	"strings"

	"mtool/inspect"
	"mtool/inspect/rootfs"
)

// inventory lists the contents of the image, as the first reading shows them.
func (j *judgement) inventory() inspect.Contents {
	c := inspect.Contents{Packages: map[string]string{}, Needs: map[string]bool{}}
	packaged := map[string]bool{}
	for _, name := range j.databases() {
		for line := range strings.SplitSeq(j.text(name), "\n") {
			switch {
			case strings.HasPrefix(line, hasPackage):
				name, version, _ := strings.Cut(line[1:], " ")
				c.Packages[name] = version
			case strings.HasPrefix(line, hasDependency):
				c.Needs[line[1:]] = true
			case strings.HasPrefix(line, hasProgram):
				packaged[line[1:]] = true
			}
		}
	}
	names := map[string]bool{}
	for _, dir := range j.pathDirs() {
		for e := range j.tree.In(dir) {
			if name := base(e.Path); !packaged[name] && j.isProgram(e) {
				names[name] = true
			}
		}
	}
	c.Unread, c.UnreadWhy = j.unreadDatabase()
	c.Programs = slices.Sorted(maps.Keys(names))
	incomplete := func(f rootfs.LayerFacts) bool { return f.Schema == "" || f.Part != rootfs.Whole }
	c.Whole = j.judgeAll && !slices.ContainsFunc(j.facts, incomplete)
	return c
}

// databases returns the paths of the package databases in the image.
func (j *judgement) databases() (paths []string) {
	dirs := []string{"var/lib/dpkg", "var/lib/dpkg/status.d", "var/lib/dpkg/info", "lib/apk/db", "usr/lib/apk/db"}
	for _, dir := range append(dirs, rpmDirs()...) {
		for e := range j.tree.In(dir) {
			if e.File != nil && e.File.Text != "" && database(e.Path) != nil {
				paths = append(paths, e.Path)
			}
		}
	}
	return paths
}

// isProgram reports whether an entry can be executed. Links of update-alternatives don't count: their targets belong
// to packages.
func (j *judgement) isProgram(e rootfs.Entry) bool {
	if e.Type != rootfs.Symlink {
		return e.Runnable
	}
	if strings.HasPrefix(e.File.Target, "/etc/alternatives/") {
		return false
	}
	found, err := j.tree.Lookup(e.Path)
	return err == nil && found.Runnable
}
