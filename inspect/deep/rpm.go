package deep

import (
	"io"
	"path"
	"slices"
	"strings"

	"mtool/inspect/rootfs"
	"mtool/inspect/rpmdb"
)

// rpmDirs returns the directories of RPM's database. https://rpm.org/docs/latest/manual/file_locations.html
func rpmDirs() []string { return []string{"usr/lib/sysimage/rpm", "var/lib/rpm", "usr/share/rpm"} }

// rpmJournal holds changes that are not yet in the SQLite database.
const rpmJournal = "rpmdb.sqlite-wal"

// rpmFiles returns the names of RPM's database in the formats of SQLite, ndb and Berkeley DB, and of the journal.
func rpmFiles() []string { return []string{"rpmdb.sqlite", rpmJournal, "Packages.db", "Packages"} }

// isRPM reports whether a path is an RPM database or its journal.
func isRPM(name string) bool {
	dir, file := path.Split(name)
	return slices.Contains(rpmDirs(), strings.TrimSuffix(dir, "/")) && slices.Contains(rpmFiles(), file)
}

// maxRPM limits the size of an RPM database in bytes. One with 500 packages has about 20 MiB.
const maxRPM = 32 << 20

// rpmInstalled reads one database at a time, to limit the memory for several layers.
func (r *reader) rpmInstalled(in io.Reader) string {
	r.rpm.Lock()
	defer r.rpm.Unlock()
	return rpmInstalled(in)
}

// rpmInstalled reads RPM's database of the installed packages.
func rpmInstalled(in io.Reader) string {
	db, err := rpmdb.Read(in, maxRPM)
	var k databaseLines
	if err == nil {
		err = k.rpmPackages(db)
	}
	if err != nil {
		return notRead + err.Error()
	}
	return k.text()
}

// rpmPackages adds the packages, their dependencies, and their files.
func (k *databaseLines) rpmPackages(db rpmdb.Database) error {
	providers := map[string]string{} // which package provides a name
	needs := map[string]bool{}
	err := db.Packages(func(p rpmdb.Package) {
		if isKey(p) || !oneLine(p.Name+p.Version+p.Arch) {
			return
		}
		k.add(hasPackage, p.Name+" "+p.Version)
		k.addTwo(hasArch, p.Name, " ", p.Arch)
		for need := range p.Requires() {
			needs[need] = true
		}
		for name := range p.Provides() {
			providers[name] = p.Name
		}
	})
	if err != nil {
		return err
	}
	err = db.Packages(func(p rpmdb.Package) {
		for file := range p.Files() {
			if needs[file] {
				providers[file] = p.Name
			}
			if oneLine(file) && !strings.Contains(file, "/.build-id/") {
				k.addFile(strings.TrimPrefix(file, "/"), "\t"+p.Name+":"+p.Arch)
			}
		}
	})
	for need := range needs {
		if provider := providers[need]; provider != "" && oneLine(provider) {
			k.add(hasDependency, provider)
		}
	}
	return err
}

// isKey reports whether a package is a key for verifying other packages.
func isKey(p rpmdb.Package) bool { return p.Name == "gpg-pubkey" }

func oneLine(s string) bool { return !strings.ContainsAny(s, "\n\r\t") }

// unreadDatabase returns the path of an RPM database that could not be read, and why; "" if there is none.
func (j *judgement) unreadDatabase() (at, why string) {
	for _, dir := range rpmDirs() {
		for _, name := range rpmFiles() {
			found, err := j.tree.Lookup(dir + "/" + name)
			if err != nil || found.Type == rootfs.Directory {
				continue
			}
			text := j.text(dir + "/" + name)
			failed, unread := strings.CutPrefix(text, notRead)
			switch {
			case name == rpmJournal && text != "":
				return found.Path, "which has a journal that was not read"
			case name != rpmJournal && (unread || text == ""):
				return found.Path, strings.TrimSuffix("which can't be read: "+failed, ": ")
			}
		}
	}
	return "", ""
}
