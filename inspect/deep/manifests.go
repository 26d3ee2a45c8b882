package deep

import (
	"bufio"
	"encoding/json"
	"io"
	"maps"
	"path"
	"slices"
	"strings"

	"mtool/inspect/rootfs"
)

// What is kept of a package manifest is lines of a word and a value. The words:
const (
	isNamed    = "name"
	isVersion  = "version"
	isFor      = "for"    // a machine, system or platform, as the package manager spells it
	isForAll   = "any"    // the package is for any machine
	hasOption  = "option" // one of several packages, each for another platform
	hasFile    = "file"   // a file that may be a program, relative to the directory in which packages are installed
	isManifest = "of"     // the package manager
	isForLibc  = "libc"   // a C library, as the package manager spells it
	hasBinary  = "binary" // a pattern of the add-ons that the package loads, relative to its directory
)

// Limits of what is read and kept of a manifest.
const (
	maxManifest = 256 << 10 // bytes that are read
	maxKept     = 64 << 10
	maxOptions  = 256
)

// manifest returns the extractor for the manifest of a package; nil if the path is not one.
func manifest(name string) rootfs.Extractor {
	dir, file := path.Split(name)
	switch {
	case file == "package.json":
		return npmManifest
	case file == "WHEEL" && strings.HasSuffix(dir, ".dist-info/"):
		return wheelTags
	case file == "RECORD" && strings.HasSuffix(dir, ".dist-info/"):
		return wheelFiles
	case strings.HasSuffix(file, ".gemspec") && strings.Contains(dir, "specifications/"):
		return gemSpec
	case strings.HasSuffix(file, ".nuspec"):
		return nuSpec
	case file == "release":
		return jdkRelease
	}
	return nil
}

// manifestLines collects what is kept of a manifest.
type manifestLines struct {
	b strings.Builder
}

func (s *manifestLines) add(word, value string) {
	if value = strings.TrimSpace(value); value == "" || strings.ContainsAny(value, "\n\r") ||
		s.b.Len()+len(value) > maxKept {
		return
	}
	s.b.WriteString(word + " " + value + "\n")
}

// npmManifest returns what a package.json says about platforms; "" if nothing.
// https://docs.npmjs.com/cli/v11/configuring-npm/package-json#os
func npmManifest(r io.Reader) string {
	body, err := io.ReadAll(io.LimitReader(r, maxManifest))
	mentions := func(member string) bool { return strings.Contains(string(body), `"`+member+`"`) }
	if err != nil ||
		!slices.ContainsFunc([]string{"os", "cpu", "libc", "binary", "gypfile", "optionalDependencies"}, mentions) {
		return ""
	}
	var m struct {
		Name     json.RawMessage            `json:"name"`
		Version  json.RawMessage            `json:"version"`
		OS       json.RawMessage            `json:"os"`
		CPU      json.RawMessage            `json:"cpu"`
		Libc     json.RawMessage            `json:"libc"`
		Binary   json.RawMessage            `json:"binary"`
		Optional map[string]json.RawMessage `json:"optionalDependencies"`
	}
	if json.Unmarshal(body, &m) != nil && m.Name == nil {
		return ""
	}
	var s manifestLines
	s.add(isManifest, "npm")
	s.add(isNamed, strings.Join(stringsOf(m.Name), ""))
	s.add(isVersion, strings.Join(stringsOf(m.Version), ""))
	for _, system := range orEmpty(stringsOf(m.OS)) {
		for _, cpu := range orEmpty(stringsOf(m.CPU)) {
			s.add(isFor, strings.Trim(system+"/"+cpu, "/"))
		}
	}
	for _, libc := range stringsOf(m.Libc) {
		s.add(isForLibc, libc)
	}
	s.add(hasBinary, addOnPattern(m.Binary))
	options := slices.Sorted(maps.Keys(m.Optional))
	for _, name := range options[:min(len(options), maxOptions)] {
		s.add(hasOption, name)
	}
	return s.b.String()
}

// addOnPattern returns where node-pre-gyp puts an add-on, with * for what differs between platforms and versions; ""
// if it uses none. https://github.com/mapbox/node-pre-gyp#the-binary-object-has-three-properties
func addOnPattern(raw json.RawMessage) string {
	var b struct {
		Name string `json:"module_name"`
		Path string `json:"module_path"`
	}
	if json.Unmarshal(raw, &b) != nil || b.Name == "" || b.Path == "" || strings.ContainsAny(b.Path+b.Name, `*?[\`) {
		return ""
	}
	at := path.Join(b.Path, b.Name+".node")
	for {
		before, rest, found := strings.Cut(at, "{")
		_, after, closed := strings.Cut(rest, "}")
		if !found || !closed {
			break
		}
		at = before + "*" + after
	}
	if strings.HasPrefix(at, "../") || strings.HasPrefix(at, "/") {
		return ""
	}
	return at
}

// stringsOf decodes a JSON string or an array of strings; nil for anything else.
func stringsOf(raw json.RawMessage) (all []string) {
	var one string
	if json.Unmarshal(raw, &one) == nil {
		return []string{one}
	}
	if json.Unmarshal(raw, &all) != nil || len(all) > maxOptions {
		return nil
	}
	return all
}

func orEmpty(all []string) []string {
	if len(all) == 0 {
		return []string{""}
	}
	return all
}

// wheelTags returns whether a wheel is for any platform, and its libc.
// https://packaging.python.org/specifications/platform-compatibility-tags/
func wheelTags(r io.Reader) string {
	var s manifestLines
	tags := map[string]int{}
	fields(io.LimitReader(r, maxManifest), func(name, value string) {
		if name == "Tag" {
			tags[""]++
			tags[wheelPlatform(value)]++
		}
	})
	s.add(isManifest, "Python")
	switch all := tags[""]; {
	case all == 0:
	case tags["any"] == all:
		s.add(isForAll, "any")
	case tags["musllinux"] == all:
		s.add(isForLibc, "musl")
	case tags["manylinux"] == all:
		s.add(isForLibc, "glibc")
	}
	return s.b.String()
}

// wheelPlatform returns the kind of platform in a tag: any, manylinux, musllinux, or another word.
func wheelPlatform(tag string) string {
	tag = tag[strings.LastIndexByte(tag, '-')+1:]
	for _, kind := range []string{"any", "manylinux", "musllinux"} {
		if strings.HasPrefix(tag, kind) {
			return kind
		}
	}
	return tag
}

// wheelFiles returns the files of a wheel below the directory in which it was installed. Other files are left out: a
// record can't claim files of other packages.
// https://packaging.python.org/specifications/recording-installed-packages/
func wheelFiles(r io.Reader) string {
	var s manifestLines
	s.add(isManifest, "Python")
	lines := bufio.NewScanner(r)
	for lines.Scan() {
		name := lines.Text()
		for range 2 { // cut off the size, then the hash
			name = name[:max(0, strings.LastIndexByte(name, ','))]
		}
		name = strings.Trim(name, `"`)
		if mayBeProgram(name) && !strings.HasPrefix(name, "/") && path.Clean(name) == name &&
			!strings.HasPrefix(name, "../") {
			s.add(hasFile, name)
		}
	}
	return s.b.String()
}

// gemSpec returns the name, version and platform of a gem. https://guides.rubygems.org/specification-reference/
func gemSpec(r io.Reader) string {
	var s manifestLines
	s.add(isManifest, "gem")
	lines := bufio.NewScanner(io.LimitReader(r, maxManifest))
	for lines.Scan() {
		name, value, found := strings.Cut(strings.TrimSpace(lines.Text()), " = ")
		value, _, quoted := strings.Cut(strings.TrimPrefix(value, `"`), `"`)
		if !found || !quoted {
			continue
		}
		switch name {
		case "s.name":
			s.add(isNamed, value)
		case "s.version":
			s.add(isVersion, value)
		case "s.platform":
			s.add(isFor, value)
		}
	}
	return s.b.String()
}

// nuSpec returns the name and version of a NuGet package. https://learn.microsoft.com/nuget/reference/nuspec
func nuSpec(r io.Reader) string {
	body, err := io.ReadAll(io.LimitReader(r, maxKept))
	if err != nil {
		return ""
	}
	var s manifestLines
	s.add(isManifest, "NuGet")
	for _, word := range []struct{ element, word string }{{"id", isNamed}, {"version", isVersion}} {
		_, rest, _ := strings.Cut(string(body), "<"+word.element+">")
		if value, _, found := strings.Cut(rest, "</"); found {
			s.add(word.word, value)
		}
	}
	return s.b.String()
}

// jdkRelease returns the version and architecture in a JDK's file release; "" if the file is of another kind.
func jdkRelease(r io.Reader) string {
	var s manifestLines
	version, arch := "", ""
	lines := bufio.NewScanner(io.LimitReader(r, maxKept))
	for lines.Scan() {
		name, value, _ := strings.Cut(lines.Text(), "=")
		switch value = strings.Trim(value, `"`); name {
		case "JAVA_VERSION":
			version = value
		case "OS_ARCH":
			arch = value
		}
	}
	if version == "" || arch == "" {
		return ""
	}
	s.add(isManifest, "JDK")
	s.add(isNamed, "Java")
	s.add(isVersion, version)
	s.add(isFor, arch)
	return s.b.String()
}

// mayBeProgram reports whether a file of a package may be a program by its name. Nearly all are not.
func mayBeProgram(name string) bool {
	if data, ok := strings.CutPrefix(name, "usr/share/"); ok {
		switch dir, _, _ := strings.Cut(data, "/"); dir {
		case "doc", "man", "locale", "icons", "zoneinfo", "info":
			return false
		}
	}
	switch path.Ext(name) {
	case ".py", ".pyc", ".pyi", ".h", ".hpp", ".c", ".rb", ".pl", ".pm", ".al", ".ix", ".js", ".ts", ".map", ".json",
		".css", ".html", ".htm", ".xml", ".svg", ".png", ".gif", ".jpg", ".txt", ".md", ".rst", ".gz", ".mo", ".po",
		".conf", ".list", ".yaml", ".yml", ".toml", ".typed", ".csv", ".ttf", ".tcl", ".enc", ".service", ".cmake",
		".pc", ".la", ".a", ".go", ".rs", ".el", ".elc", ".vim", ".desktop", ".pem", ".crt", ".tmpl", ".dat", ".inc", ".sh":
		return false
	}
	return name != ""
}
