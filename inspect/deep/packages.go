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

// pack is a package: what its manifest says, and which programs it has.
type pack struct {
	name    string // for people: esbuild 0.21.5 (npm)
	manager string
	root    string   // the directory of the package, or of all packages of a manager
	claims  []string // platforms, as the package manager spells them
	options []string // packages of which one is for each platform
	// neutral says that another machine in the name of a part is no proof of a mistake: the package is for any machine, or
	// was built for this one.
	neutral bool
	// shared says that the directory is one of several packages, so that only files of the same name belong together.
	shared bool
	layout bool // only the path says that there is a package
	// libcs are those that the package says it is for, as package.json spells them; nil: any.
	libcs []string
	// binary matches the paths of the add-ons that node-pre-gyp loads, from root; "" is none.
	binary string
	// choice is the part from which a loader chooses by the platform (see addOns); nil: there is none.
	choice   *pack
	isChoice bool

	right   bool     // it has programs for the platform
	others  []string // the platforms of its other programs
	members []*pack  // those of options that are there
	// otherLibc is a program for the platform in a package that is for some libc only; "" is none.
	otherLibc string
}

// packages are those of an image.
type packages struct {
	*judgement

	roots   map[string]*pack // by directory
	files   map[string]*pack // programs, by the record of a wheel
	system  map[string]*pack // programs, by the databases of dpkg and apk
	parents map[*pack][]*pack
	libcs   []*pack         // that may be for one libc
	plugins map[string]bool // of Go, for the platform: directory and import path
}

// maxPackages bounds how many packages are told apart. The files of one more are judged by themselves.
const maxPackages = 50_000

// packages are looked for when a program turns up that is not right.
func (j *judgement) packages() *packages {
	if j.packs != nil {
		return j.packs
	}
	p := &packages{
		judgement: j, roots: map[string]*pack{}, files: map[string]*pack{}, system: map[string]*pack{},
		parents: map[*pack][]*pack{},
		plugins: map[string]bool{},
	}
	j.packs = p
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
		p.architectures(e, archs)
		p.manifest(e)
	}
	for _, e := range texts {
		p.lists(e, archs, programs)
	}
	for _, path := range slices.Sorted(maps.Keys(programs)) {
		p.count(programs[path])
	}
	p.families()
	return p
}

// count takes a program for one of its package.
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
		k.note(*e.File.Fact)
		return
	}
	k.right = true
	p.countLibc(k, e)
}

// of is what a file has to be judged with: its package, or the part of it from which a loader chooses.
func (p *packages) of(name string) *pack {
	k := p.member(name)
	if k == nil {
		return nil
	}
	if choice := k.addOns(k.inside(name)); choice != nil {
		return choice
	}
	return k
}

// member is the package that a file belongs to; nil: none that is known. The innermost counts, and what a manifest says
// before what a path looks like.
func (p *packages) member(name string) *pack {
	inner := p.around(name)
	if k := p.files[name]; k != nil &&
		(inner == nil || inner.layout && inner.manager == k.manager || len(inner.root) <= len(k.root)) {
		return k
	}
	if inner != nil {
		return inner
	}
	return p.system[name]
}

// around is the package in whose directory a file lies.
func (p *packages) around(name string) *pack {
	known := layoutOf(name)
	from := "" // a manifest further out is that of another package
	switch {
	case known != nil && known.shared:
		from = path.Dir(known.root)
	case known != nil:
		from = known.root
	}
	for dir := path.Dir(name); dir != "." && dir != "/" && len(dir) >= len(from); dir = path.Dir(dir) {
		if k := p.roots[dir]; k != nil {
			return k
		}
	}
	if known == nil || len(p.roots) >= maxPackages {
		return known
	}
	if k := p.roots[known.root]; k != nil {
		return k // a file by itself
	}
	p.roots[known.root] = known
	return known
}

// manifest takes note of a package whose manifest this is.
func (p *packages) manifest(e rootfs.Entry) {
	if manifest(e.Path) == nil || len(p.roots) >= maxPackages {
		return
	}
	k, version := claimed(e.File.Text)
	k.root = path.Dir(e.Path)
	switch k.manager {
	case "npm":
		version = ""
		if layout := layoutOf(e.Path); (layout == nil || layout.root != k.root) &&
			len(binary.NamedIn(strings.Join(k.claims, " "))) == 0 {
			return // an application, whose own files nobody installed
		}
	case "gem":
		k.root = path.Join(beforeSpecifications(e.Path), "gems", strings.TrimSuffix(base(e.Path), ".gemspec"))
	case "Python": // by its directory NAME-VERSION.dist-info, under which its record is found
		k.name = strings.Replace(strings.TrimSuffix(base(k.root), ".dist-info"), "-", " ", 1)
		if have := p.roots[k.root]; have != nil {
			have.neutral, have.libcs = have.neutral || k.neutral, append(have.libcs, k.libcs...)
			return
		}
	}
	k.name = strings.TrimSpace(cmp.Or(k.name, base(k.root))+" "+version) + " (" + k.manager + ")"
	p.roots[k.root] = k
}

// claimed is what a manifest says, with the version apart.
func claimed(text string) (k *pack, version string) {
	k = &pack{}
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
			k.binary = value
		}
	}
	return k, version
}

func beforeSpecifications(name string) string {
	before, _, _ := strings.Cut("/"+name, "/specifications/")
	return strings.TrimPrefix(before, "/")
}

// families finds the packages of which one is there for each platform, as Node resolves their names.
// https://nodejs.org/api/modules.html#loading-from-node_modules-folders
func (p *packages) families() {
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

// resolve is the package that a name means in a directory; nil: none is there.
func (p *packages) resolve(dir, name string) *pack {
	for ; dir != "." && dir != "/"; dir = path.Dir(dir) {
		at := dir + "/node_modules/" + name
		if base(dir) == "node_modules" {
			at = dir + "/" + name
		}
		if found, err := p.tree.Lookup(at); err == nil && found.Type == rootfs.Directory {
			return p.around(found.Path + "/package.json")
		}
	}
	return nil
}

// has reports whether one of the members that differ from k in their platform only has programs that are right.
func (k *pack) has(member *pack) bool {
	return slices.ContainsFunc(k.members, func(other *pack) bool { return other.right && kin(other.root, member.root) })
}

// kin reports whether the names of two packages are the same up to the words for their platforms: @img/sharp-linux-x64
// and @img/sharp-darwin-arm64, and not @img/sharp-libvips-linux-x64.
func kin(a, b string) bool {
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

// spelled are the platforms of a package for messages: as its manager spells them, where it tells the truth.
func (k *pack) spelled(f binary.Fact) []string {
	for _, claim := range k.claims {
		if strings.Contains(claim, "/") && len(k.others) == 1 && binary.Names(claim, f.Arch) {
			return []string{claim}
		}
	}
	return k.others
}
