package deep

import (
	"maps"
	"slices"
	"strings"

	"mtool/inspect"
	"mtool/inspect/rootfs"
)

// inventory is what the image holds, of the first reading.
func (j *judgement) inventory() inspect.Contents {
	c := inspect.Contents{Packages: map[string]string{}, Needs: map[string]bool{}}
	packaged := map[string]bool{}
	for _, name := range j.databases() {
		for line := range strings.SplitSeq(j.text(name), "\n") {
			switch {
			case strings.HasPrefix(line, hasPackage):
				name, version, _ := strings.Cut(line[1:], " ")
				c.Packages[name] = version
			case strings.HasPrefix(line, hasNeed):
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
	c.Whole = j.all &&
		!slices.ContainsFunc(j.facts, func(f rootfs.LayerFacts) bool { return f.Schema == "" || f.Part != rootfs.Whole })
	return c
}

// databases are the paths of the databases of packages that are there.
func (j *judgement) databases() (paths []string) {
	for _, dir := range append([]string{
		"var/lib/dpkg", "var/lib/dpkg/status.d", "var/lib/dpkg/info", "lib/apk/db",
		"usr/lib/apk/db",
	}, rpmDirs()...) {
		for e := range j.tree.In(dir) {
			if e.File != nil && e.File.Text != "" && database(e.Path) != nil {
				paths = append(paths, e.Path)
			}
		}
	}
	return paths
}

// isProgram reports whether somebody could call what is there. What update-alternatives links to belongs to a package.
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
