package deep

import (
	"bufio"
	"io"
	"maps"
	"path"
	"slices"
	"strings"

	"mtool/inspect/rootfs"
)

// What is kept of a package database is lines. The first byte says what a line holds: + a package and its version, ?
// a package that others depend on, = the name of a program of a package, @ a package and its architecture, / the path
// of a file that may be a program (followed by a tab and its package if the database covers all packages), ! why the
// database could not be read.
const (
	hasPackage    = "+"
	hasDependency = "?"
	hasProgram    = "="
	hasArch       = "@"
	hasPath       = "/"
	notRead       = "!"
)

// maxDatabase limits how many bytes are kept of a database. A system of 5,000 packages needs half of it.
const maxDatabase = 1 << 20

// database returns the extractor for a package database; nil if the path is not one.
func database(name string) rootfs.Extractor {
	dir, file := path.Split(name)
	switch {
	case name == "var/lib/dpkg/status", dir == "var/lib/dpkg/status.d/" && !strings.HasSuffix(file, ".md5sums"):
		return dpkgStatus
	case dir == "var/lib/dpkg/status.d/", dir == "var/lib/dpkg/info/" && strings.HasSuffix(file, ".list"):
		return dpkgFiles
	case isRPM(name):
		return rpmInstalled
	case name == "lib/apk/db/installed", name == "usr/lib/apk/db/installed":
		return apkInstalled
	}
	return nil
}

// databaseLines collects what is kept of a database, each line once.
type databaseLines struct {
	lines map[string]bool
	size  int
}

func (k *databaseLines) add(kind, text string) {
	if k.lines == nil {
		k.lines = map[string]bool{}
	}
	line := kind + text
	if text == "" || k.lines[line] || k.size+len(line) >= maxDatabase {
		return
	}
	k.lines[line] = true
	k.size += len(line) + 1
}

// addTwo adds a line of two words, unless one of them is empty.
func (k *databaseLines) addTwo(kind, first, between, second string) {
	if first != "" && second != "" {
		k.add(kind, first+between+second)
	}
}

// addFile adds a file that may be a program, followed by its package if the list covers several.
func (k *databaseLines) addFile(name, by string) {
	if dir, file := path.Split(name); isBin(dir) {
		k.add(hasProgram, file)
	}
	if mayBeProgram(name) {
		k.add(hasPath, name+by)
	}
}

func (k *databaseLines) text() string {
	return strings.Join(slices.Sorted(maps.Keys(k.lines)), "\n")
}

// fields calls f for each line "name: value", and with "" after each package. Continuation lines are skipped, and so
// are lines of more than 64 KiB.
func fields(r io.Reader, f func(name, value string)) {
	lines := bufio.NewReaderSize(r, 64<<10)
	for long := false; ; {
		line, more, err := lines.ReadLine()
		if err != nil {
			f("", "")
			return
		}
		if text := string(line); !long && !more {
			name, value, found := strings.Cut(text, ":")
			switch {
			case text == "":
				f("", "")
			case found && text[0] != ' ' && text[0] != '\t':
				f(name, strings.TrimSpace(value))
			}
		}
		long = more
	}
}

// dpkgStatus reads dpkg's status of the installed packages. https://man7.org/linux/man-pages/man5/deb-control.5.html
func dpkgStatus(r io.Reader) string {
	var k databaseLines
	var name, version, arch string
	var needs []string
	gone := false
	fields(r, func(field, value string) {
		switch field {
		case "Package":
			name = value
		case "Version":
			version = value
		case "Architecture":
			arch = value
		case "Status":
			gone = !strings.HasSuffix(value, " installed")
		case "Depends", "Pre-Depends", "Recommends":
			for one := range strings.FieldsFuncSeq(value, func(c rune) bool { return c == ',' || c == '|' }) {
				one, _, _ = strings.Cut(strings.TrimSpace(one), " ")
				one, _, _ = strings.Cut(one, ":")
				needs = append(needs, one)
			}
		case "":
			if name != "" && !gone {
				k.add(hasPackage, name+" "+version)
				k.addTwo(hasArch, name, " ", arch)
				for _, need := range needs {
					k.add(hasDependency, need)
				}
			}
			name, version, arch, needs, gone = "", "", "", nil, false
		}
	})
	return k.text()
}

// dpkgFiles reads the file list of a package: one file a line, after its checksum if there is one.
func dpkgFiles(r io.Reader) string {
	var k databaseLines
	lines := bufio.NewScanner(r)
	for lines.Scan() {
		name := lines.Text()
		if sum, rest, found := strings.Cut(name, "  "); found && !strings.Contains(sum, "/") {
			name = rest
		}
		k.addFile(strings.TrimPrefix(name, "/"), "")
	}
	return k.text()
}

func isBin(dir string) bool {
	dir = strings.TrimSuffix(dir, "/")
	return strings.HasSuffix(dir, "bin") && (path.Base(dir) == "bin" || path.Base(dir) == "sbin")
}

// apkInstalled reads apk's database of the installed packages. https://wiki.alpinelinux.org/wiki/Apk_spec
func apkInstalled(r io.Reader) string {
	var k databaseLines
	var name, version, arch, dir string
	providers := map[string]string{} // which package provides a name
	needs := map[string]bool{}
	fields(r, func(field, value string) {
		switch field {
		case "P":
			name = value
		case "V":
			version = value
		case "A":
			arch = value
		case "D", "p":
			for word := range strings.FieldsSeq(value) {
				word = strings.TrimPrefix(word, "!")
				if at := strings.IndexAny(word, "<>=~"); at >= 0 {
					word = word[:at]
				}
				if field == "p" {
					providers[word] = name
				} else {
					needs[word] = true
				}
			}
		case "F":
			dir = value
		case "R":
			k.addFile(path.Join(dir, value), "\t"+name)
		case "":
			if name != "" {
				k.add(hasPackage, name+" "+version)
				k.addTwo(hasArch, name, " ", arch)
			}
			name, version, arch, dir = "", "", "", ""
		}
	})
	for need := range needs {
		if provider := providers[need]; provider != "" {
			need = provider
		}
		k.add(hasDependency, need)
	}
	return k.text()
}
