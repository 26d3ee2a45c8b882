package deep

import (
	"io"
	"path"
	"slices"
	"strings"

	"mtool/inspect/rootfs"
	"mtool/inspect/rpmdb"
)

// rpmDirs are where RPM's database lies. https://rpm.org/docs/latest/manual/file_locations.html
func rpmDirs() []string { return []string{"usr/lib/sysimage/rpm", "var/lib/rpm", "usr/share/rpm"} }

// rpmJournal is what was not written into a database of SQLite yet.
const rpmJournal = "rpmdb.sqlite-wal"

// rpmFiles are the names of RPM's database in the formats of SQLite, ndb and Berkeley DB, and of a journal.
func rpmFiles() []string { return []string{"rpmdb.sqlite", rpmJournal, "Packages.db", "Packages"} }

// isRPM reports whether a path is that of a database of RPM, or of its journal.
func isRPM(name string) bool {
	dir, file := path.Split(name)
	return slices.Contains(rpmDirs(), strings.TrimSuffix(dir, "/")) && slices.Contains(rpmFiles(), file)
}

// maxRPM is how large a database of RPM may be, in bytes. One of 500 packages has about 20 MiB.
const maxRPM = 32 << 20

// rpmInstalled reads one database after the other, so that several layers do not have several of them in memory.
func (r *reader) rpmInstalled(in io.Reader) string {
	r.rpm.Lock()
	defer r.rpm.Unlock()
	return rpmInstalled(in)
}

// rpmInstalled reads what RPM says of the packages that are installed.
func rpmInstalled(in io.Reader) string {
	db, err := rpmdb.Read(in, maxRPM)
	var k kept
	if err == nil {
		err = k.rpmPackages(db)
	}
	if err != nil {
		return notRead + err.Error()
	}
	return k.text()
}

// rpmPackages adds the packages, what they need of each other, and their files.
func (k *kept) rpmPackages(db rpmdb.Database) error {
	brings := map[string]string{} // which package has what others need
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
			brings[name] = p.Name
		}
	})
	if err != nil {
		return err
	}
	err = db.Packages(func(p rpmdb.Package) {
		for file := range p.Files() {
			if needs[file] {
				brings[file] = p.Name
			}
			if oneLine(file) && !strings.Contains(file, "/.build-id/") {
				k.addFile(strings.TrimPrefix(file, "/"), "\t"+p.Name+":"+p.Arch)
			}
		}
	})
	for need := range needs {
		if by := brings[need]; by != "" && oneLine(by) {
			k.add(hasNeed, by)
		}
	}
	return err
}

// isKey reports whether a package stands for a key by which others are verified.
func isKey(p rpmdb.Package) bool { return p.Name == "gpg-pubkey" }

func oneLine(s string) bool { return !strings.ContainsAny(s, "\n\r\t") }

// unreadDatabase is the path of a database of RPM of which the packages are not known, and why; "" where there is none.
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
				return found.Path, "which has a journal that is not read"
			case name != rpmJournal && (unread || text == ""):
				return found.Path, strings.TrimSuffix("which can't be read: "+failed, ": ")
			}
		}
	}
	return "", ""
}
