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

// The manifests of packages are kept as lines of a word and a value. The words:
const (
	isNamed    = "name"
	isVersion  = "version"
	isFor      = "for"    // a machine, system or platform, as the package manager spells it
	isForAll   = "any"    // the package is for any machine
	hasOption  = "option" // a package of which one is for each platform
	hasFile    = "file"   // a file that may be a program, from the directory where packages are installed
	isManifest = "of"     // the package manager
	isForLibc  = "libc"   // a C library, as the package manager spells it
	hasBinary  = "binary" // a pattern of the add-ons that the package loads, from its directory
)

// The bounds of what is read and kept of a manifest.
const (
	maxManifest = 256 << 10 // bytes that are read
	maxKept     = 64 << 10
	maxOptions  = 256
)

// manifest is what reads the manifest of a package, by its path; nil: it is none.
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

// said collects the lines of a manifest.
type said struct {
	b strings.Builder
}

func (s *said) add(word, value string) {
	if value = strings.TrimSpace(value); value == "" || strings.ContainsAny(value, "\n\r") ||
		s.b.Len()+len(value) > maxKept {
		return
	}
	s.b.WriteString(word + " " + value + "\n")
}

// npmManifest keeps what a package.json says of platforms; "" is nothing.
// https://docs.npmjs.com/cli/v11/configuring-npm/package-json#os
func npmManifest(r io.Reader) string {
	body, err := io.ReadAll(io.LimitReader(r, maxManifest))
	tells := func(member string) bool { return strings.Contains(string(body), `"`+member+`"`) }
	if err != nil ||
		!slices.ContainsFunc([]string{"os", "cpu", "libc", "binary", "gypfile", "optionalDependencies"}, tells) {
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
	var s said
	s.add(isManifest, "npm")
	s.add(isNamed, strings.Join(texted(m.Name), ""))
	s.add(isVersion, strings.Join(texted(m.Version), ""))
	for _, system := range orNone(texted(m.OS)) {
		for _, cpu := range orNone(texted(m.CPU)) {
			s.add(isFor, strings.Trim(system+"/"+cpu, "/"))
		}
	}
	for _, libc := range texted(m.Libc) {
		s.add(isForLibc, libc)
	}
	s.add(hasBinary, addOnPattern(m.Binary))
	options := slices.Sorted(maps.Keys(m.Optional))
	for _, name := range options[:min(len(options), maxOptions)] {
		s.add(hasOption, name)
	}
	return s.b.String()
}

// addOnPattern is where node-pre-gyp puts an add-on, with * for what differs between platforms and versions; "" is
// nowhere. https://github.com/mapbox/node-pre-gyp#the-binary-object-has-three-properties
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

// texted is a text of JSON, or several; nil is anything else.
func texted(raw json.RawMessage) (all []string) {
	var one string
	if json.Unmarshal(raw, &one) == nil {
		return []string{one}
	}
	if json.Unmarshal(raw, &all) != nil || len(all) > maxOptions {
		return nil
	}
	return all
}

func orNone(all []string) []string {
	if len(all) == 0 {
		return []string{""}
	}
	return all
}

// wheelTags keeps whether a wheel is for any platform, and for which libc it is.
// https://packaging.python.org/specifications/platform-compatibility-tags/
func wheelTags(r io.Reader) string {
	var s said
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

// wheelPlatform is the kind of platform in a tag: any, manylinux, musllinux, or something else.
func wheelPlatform(tag string) string {
	tag = tag[strings.LastIndexByte(tag, '-')+1:]
	for _, kind := range []string{"any", "manylinux", "musllinux"} {
		if strings.HasPrefix(tag, kind) {
			return kind
		}
	}
	return tag
}

// wheelFiles keeps which files a wheel has below the directory where it was installed. What it names elsewhere is left
// out: a record can't claim the files of others.
// https://packaging.python.org/specifications/recording-installed-packages/
func wheelFiles(r io.Reader) string {
	var s said
	s.add(isManifest, "Python")
	lines := bufio.NewScanner(r)
	for lines.Scan() {
		name := lines.Text()
		for range 2 { // the sum and the size
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

// gemSpec keeps what a gem calls itself. https://guides.rubygems.org/specification-reference/
func gemSpec(r io.Reader) string {
	var s said
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

// nuSpec keeps what a NuGet package calls itself. https://learn.microsoft.com/nuget/reference/nuspec
func nuSpec(r io.Reader) string {
	body, err := io.ReadAll(io.LimitReader(r, maxKept))
	if err != nil {
		return ""
	}
	var s said
	s.add(isManifest, "NuGet")
	for _, word := range []struct{ element, word string }{{"id", isNamed}, {"version", isVersion}} {
		_, rest, _ := strings.Cut(string(body), "<"+word.element+">")
		if value, _, found := strings.Cut(rest, "</"); found {
			s.add(word.word, value)
		}
	}
	return s.b.String()
}

// jdkRelease keeps what a JDK says of itself in its file release; "" is a file of another kind.
func jdkRelease(r io.Reader) string {
	var s said
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

// mayBeProgram leaves out the files of a package that are none by their names, which are nearly all.
func mayBeProgram(name string) bool {
	if data, ok := strings.CutPrefix(name, "usr/share/"); ok {
		switch dir, _, _ := strings.Cut(data, "/"); dir {
		case "doc", "man", "locale", "icons", "zoneinfo", "info":
			return false
		}
	}
	switch path.Ext(name) {
	case ".py", ".pyc", ".pyi", ".h", ".hpp", ".c", ".rb", ".pl", ".pm", ".al", ".ix", ".js", ".ts", ".map", ".json",
		".css", ".html", ".htm", ".xml", ".svg", ".png",
		".gif", ".jpg", ".txt", ".md", ".rst", ".gz", ".mo", ".po", ".conf", ".list", ".yaml", ".yml", ".toml", ".typed",
		".csv", ".ttf", ".tcl", ".enc",
		".service", ".cmake", ".pc", ".la", ".a", ".go", ".rs", ".el", ".elc", ".vim", ".desktop", ".pem", ".crt", ".tmpl",
		".dat", ".inc", ".sh":
		return false
	}
	return name != ""
}
