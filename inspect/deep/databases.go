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

// The databases of packages are kept as lines: + before a package and its version, ? before a name that packages need,
// = before the name of a program that they bring, @ before a package and its architecture, / before the path of a file
// that may be a program, with a tab and its package behind it where the database is that of all packages, and ! before
// why it was not read.
const (
	hasPackage = "+"
	hasNeed    = "?"
	hasProgram = "="
	hasArch    = "@"
	hasPath    = "/"
	notRead    = "!"
)

// maxDatabase is how many bytes are kept of a database; a system of 5,000 packages has half of it.
const maxDatabase = 1 << 20

// database is what reads a database of packages by its path; nil: it is none.
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

// kept collects the lines of a database, each once.
type kept struct {
	lines map[string]bool
	size  int
}

func (k *kept) add(kind, text string) {
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

// addTwo adds a line of two words, unless one is missing.
func (k *kept) addTwo(kind, first, between, second string) {
	if first != "" && second != "" {
		k.add(kind, first+between+second)
	}
}

// addFile adds a file that may be a program, with its package where the list is not of one alone.
func (k *kept) addFile(name, by string) {
	if dir, file := path.Split(name); isBin(dir) {
		k.add(hasProgram, file)
	}
	if mayBeProgram(name) {
		k.add(hasPath, name+by)
	}
}

func (k *kept) text() string {
	return strings.Join(slices.Sorted(maps.Keys(k.lines)), "\n")
}

// fields calls f for each line of "name: value"; name is "" behind a package. What continues a line is left out, and so
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

// dpkgStatus reads what dpkg says of the packages that are installed.
// https://man7.org/linux/man-pages/man5/deb-control.5.html
func dpkgStatus(r io.Reader) string {
	var k kept
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
					k.add(hasNeed, need)
				}
			}
			name, version, arch, needs, gone = "", "", "", nil, false
		}
	})
	return k.text()
}

// dpkgFiles reads the list of the files of a package: one a line, behind a sum where there is one.
func dpkgFiles(r io.Reader) string {
	var k kept
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

// apkInstalled reads what apk says of the packages that are installed. https://wiki.alpinelinux.org/wiki/Apk_spec
func apkInstalled(r io.Reader) string {
	var k kept
	var name, version, arch, dir string
	brings := map[string]string{} // which package has what others need
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
					brings[word] = name
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
		if by := brings[need]; by != "" {
			need = by
		}
		k.add(hasNeed, need)
	}
	return k.text()
}
