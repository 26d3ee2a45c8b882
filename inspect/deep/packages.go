package deep

import (
	"cmp"
	"maps"
	"path"
	"slices"
	"strings"

	"mtool/inspect/binary"
	"mtool/inspect/rootfs"
)

// pkg is a package: what its manifest says, and which programs it has.
type pkg struct {
	name    string // for messages: esbuild 0.21.5 (npm)
	manager string
	root    string   // the directory of the package, or of all packages of a manager
	claims  []string // platforms, as the package manager spells them
	options []string // its optional dependencies, one for each platform
	// neutral says that another machine in the name of a part does not prove a mistake, since the package is for any
	// machine, or was built for this one.
	neutral bool
	// shared says that several packages share the directory, so that only files of the same name belong together.
	shared bool
	layout bool // the package is only known from the path
	// libcs are the libcs that the package states, as package.json spells them; nil: any.
	libcs []string
	// addOnPattern matches the paths, relative to root, of the add-ons that node-pre-gyp loads; "" if there are none.
	addOnPattern string
	// choice is the part from which a loader chooses by platform (see addOns); nil if there is none.
	choice   *pkg
	isChoice bool

	right   bool     // it has programs that fit the platform
	others  []string // the platforms of its other programs
	members []*pkg   // those of options that are installed
	// otherLibc is a program for the platform in a package that is for one libc only; "" if there is none.
	otherLibc string
}

// packages has the packages of an image.
type packages struct {
	*judgement

	roots   map[string]*pkg // by directory
	files   map[string]*pkg // programs, by the RECORD of their wheel
	system  map[string]*pkg // programs, by the databases of dpkg and apk
	parents map[*pkg][]*pkg
	libcs   []*pkg          // packages that may be for one libc
	plugins map[string]bool // Go plugins for the platform: directory and import path
}

// maxPackages limits how many packages are distinguished. Files of further packages are judged by themselves.
const maxPackages = 50_000

// packages returns the packages of the image. They are computed when the first program turns up that does not fit.
func (j *judgement) packages() *packages {
	if j.pkgs != nil {
		return j.pkgs
	}
	p := &packages{
		judgement: j, roots: map[string]*pkg{}, files: map[string]*pkg{}, system: map[string]*pkg{},
		parents: map[*pkg][]*pkg{}, plugins: map[string]bool{},
	}
	j.pkgs = p
	var texts []rootfs.Entry
	programs := map[string]rootfs.Entry{}
	for e := range j.tree.All() {
		switch {
		case e.Type == rootfs.Program && e.File.Fact != nil && judgeable(*e.File.Fact):
			programs[e.Path] = e
		case e.File != nil && e.File.Text != "":
			texts = append(texts, e)
		}
	}
	archs := map[string]string{}
	for _, e := range texts {
		p.addArchitectures(e, archs)
		p.addManifest(e)
	}
	for _, e := range texts {
		p.addLists(e, archs, programs)
	}
	for _, path := range slices.Sorted(maps.Keys(programs)) {
		p.count(programs[path])
	}
	p.findFamilies()
	return p
}

// count records a program in its package.
func (p *packages) count(e rootfs.Entry) {
	verdict, _ := p.verdictOn(e)
	if key := pluginKey(e.Path, *e.File.Fact); key != "" && fits(verdict) {
		p.plugins[key] = true
	}
	k := p.member(e.Path)
	if k == nil {
		return
	}
	p.countAddOn(k, e, fits(verdict))
	if !fits(verdict) {
		k.addPlatform(*e.File.Fact)
		return
	}
	k.right = true
	p.countLibc(k, e)
}

// judgedWith returns what a file is judged together with: its package, or the part of it from which a loader chooses.
func (p *packages) judgedWith(name string) *pkg {
	k := p.member(name)
	if k == nil {
		return nil
	}
	if choice := k.addOns(k.inside(name)); choice != nil {
		return choice
	}
	return k
}

// member returns the package that a file belongs to; nil if it is unknown. The innermost one counts, and a manifest
// counts more than a guess from the path.
func (p *packages) member(name string) *pkg {
	inner := p.enclosing(name)
	if k := p.files[name]; k != nil &&
		(inner == nil || inner.layout && inner.manager == k.manager || len(inner.root) <= len(k.root)) {
		return k
	}
	if inner != nil {
		return inner
	}
	return p.system[name]
}

// enclosing returns the package in whose directory a file lies.
func (p *packages) enclosing(name string) *pkg {
	guess := layoutOf(name)
	outermost := "" // a manifest further out belongs to another package
	switch {
	case guess != nil && guess.shared:
		outermost = path.Dir(guess.root)
	case guess != nil:
		outermost = guess.root
	}
	for dir := path.Dir(name); dir != "." && dir != "/" && len(dir) >= len(outermost); dir = path.Dir(dir) {
		if k := p.roots[dir]; k != nil {
			return k
		}
	}
	if guess == nil || len(p.roots) >= maxPackages {
		return guess
	}
	if k := p.roots[guess.root]; k != nil {
		return k // a single file
	}
	p.roots[guess.root] = guess
	return guess
}

// addManifest adds the package that a manifest describes.
func (p *packages) addManifest(e rootfs.Entry) {
	if manifest(e.Path) == nil || len(p.roots) >= maxPackages {
		return
	}
	k, version := parsePackage(e.File.Text)
	k.root = path.Dir(e.Path)
	switch k.manager {
	case "npm":
		version = ""
		if layout := layoutOf(e.Path); (layout == nil || layout.root != k.root) &&
			len(binary.NamedIn(strings.Join(k.claims, " "))) == 0 {
			return // an application: its own files were not installed as a package
		}
	case "gem":
		k.root = path.Join(beforeSpecifications(e.Path), "gems", strings.TrimSuffix(base(e.Path), ".gemspec"))
	case "Python": // by its directory NAME-VERSION.dist-info, in which its RECORD lies
		k.name = strings.Replace(strings.TrimSuffix(base(k.root), ".dist-info"), "-", " ", 1)
		if have := p.roots[k.root]; have != nil {
			have.neutral, have.libcs = have.neutral || k.neutral, append(have.libcs, k.libcs...)
			return
		}
	}
	k.name = strings.TrimSpace(cmp.Or(k.name, base(k.root))+" "+version) + " (" + k.manager + ")"
	p.roots[k.root] = k
}

// parsePackage returns what a manifest says, and the version separately.
func parsePackage(text string) (k *pkg, version string) {
	k = &pkg{}
	for line := range strings.Lines(text) {
		word, value, _ := strings.Cut(strings.TrimSuffix(line, "\n"), " ")
		switch word {
		case isManifest:
			k.manager = value
		case isNamed:
			k.name = value
		case isVersion:
			version = value
		case isFor:
			k.claims = append(k.claims, value)
		case isForAll:
			k.neutral = true
		case hasOption:
			k.options = append(k.options, value)
		case isForLibc:
			k.libcs = append(k.libcs, value)
		case hasBinary:
			k.addOnPattern = value
		}
	}
	return k, version
}

func beforeSpecifications(name string) string {
	before, _, _ := strings.Cut("/"+name, "/specifications/")
	return strings.TrimPrefix(before, "/")
}

// findFamilies finds the optional dependencies of packages, one for each platform, as Node resolves their names.
// https://nodejs.org/api/modules.html#loading-from-node_modules-folders
func (p *packages) findFamilies() {
	const most = 100_000
	n := 0
	for _, root := range slices.Sorted(maps.Keys(p.roots)) {
		parent := p.roots[root]
		if parent.manager != "npm" || !strings.Contains("/"+root, "/node_modules/") {
			continue
		}
		for _, name := range parent.options {
			if n++; n > most {
				return
			}
			if k := p.resolve(root, name); k != nil && k != parent {
				parent.members = append(parent.members, k)
				p.parents[k] = append(p.parents[k], parent)
				if k.choice != nil {
					p.parents[k.choice] = append(p.parents[k.choice], parent)
				}
			}
		}
	}
}

// resolve returns the package that a name refers to in a directory; nil if there is none.
func (p *packages) resolve(dir, name string) *pkg {
	for ; dir != "." && dir != "/"; dir = path.Dir(dir) {
		at := dir + "/node_modules/" + name
		if base(dir) == "node_modules" {
			at = dir + "/" + name
		}
		if found, err := p.tree.Lookup(at); err == nil && found.Type == rootfs.Directory {
			return p.enclosing(found.Path + "/package.json")
		}
	}
	return nil
}

// hasCounterpart reports whether a package of the same family as member has programs that fit the platform.
func (k *pkg) hasCounterpart(member *pkg) bool {
	return slices.ContainsFunc(k.members, func(other *pkg) bool {
		return other.right && sameFamily(other.root, member.root)
	})
}

// sameFamily reports whether the names of two packages are the same up to the words for their platforms:
// @img/sharp-linux-x64 and @img/sharp-darwin-arm64, but not @img/sharp-libvips-linux-x64.
func sameFamily(a, b string) bool {
	before := func(root string) string {
		_, name, _ := strings.Cut(root[max(0, strings.LastIndex(root, "node_modules/")):], "/")
		from := len(name)
		for _, m := range binary.NamedIn(name) {
			at, _ := m.Span()
			from = min(from, at)
		}
		for _, s := range spans(name, "") {
			from = min(from, s.from)
		}
		return name[:from]
	}
	return before(a) == before(b)
}

// platformNames returns the platforms of a package for messages: spelled as by its manager, if that is true.
func (k *pkg) platformNames(f binary.Fact) []string {
	for _, claim := range k.claims {
		if strings.Contains(claim, "/") && len(k.others) == 1 && binary.Names(claim, f.Arch) {
			return []string{claim}
		}
	}
	return k.others
}
