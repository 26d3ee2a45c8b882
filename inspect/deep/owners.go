package deep

import (
	"path"
	"strings"

	"mtool/inspect/binary"
	"mtool/inspect/rootfs"
)

// addArchitectures reads the architecture of each package from a database.
func (p *packages) addArchitectures(e rootfs.Entry, archs map[string]string) {
	if database(e.Path) == nil {
		return
	}
	for line := range strings.Lines(e.File.Text) {
		if rest, ok := strings.CutPrefix(line, hasArch); ok {
			name, arch, _ := strings.Cut(strings.TrimSpace(rest), " ")
			archs[name] = arch
		}
	}
}

// addLists assigns the programs in the file list of a package to it.
func (p *packages) addLists(e rootfs.Entry, archs map[string]string, programs map[string]rootfs.Entry) {
	switch dir, file := path.Split(e.Path); {
	case file == "RECORD" && manifest(e.Path) != nil:
		k := p.roots[path.Dir(e.Path)]
		if k == nil || k.manager != "Python" {
			return
		}
		delete(p.roots, k.root)
		k.root = path.Dir(k.root)
		for line := range strings.Lines(e.File.Text) {
			if name, ok := strings.CutPrefix(strings.TrimSuffix(line, "\n"), hasFile+" "); ok {
				name = path.Join(k.root, name)
				if _, ok := programs[name]; ok {
					p.files[name] = k
				}
			}
		}
	case database(e.Path) == nil:
	case isRPM(e.Path):
		p.addOwned(e, "", "rpm", archs, programs)
	case strings.HasSuffix(e.Path, "/db/installed"):
		p.addOwned(e, "", "apk", archs, programs)
	case strings.HasSuffix(file, ".list"), dir == "var/lib/dpkg/status.d/":
		p.addOwned(e, strings.TrimSuffix(strings.TrimSuffix(file, ".list"), ".md5sums"), "dpkg", archs, programs)
	}
}

// addOwned assigns the programs that a distribution's package installed to it. Files from a layer above its list are
// not its own.
func (p *packages) addOwned(
	e rootfs.Entry, name, manager string, archs map[string]string, programs map[string]rootfs.Entry,
) {
	known := map[string]*pkg{}
	for line := range strings.Lines(e.File.Text) {
		rest, ok := strings.CutPrefix(strings.TrimSuffix(line, "\n"), hasPath)
		if !ok {
			continue
		}
		file, by, _ := strings.Cut(rest, "\t")
		if by == "" {
			by = name
		}
		program, ok := programs[file]
		if !ok {
			program, ok = programs["usr/"+file] // bin and lib are links into usr
		}
		if !ok || program.Layer > e.Layer {
			continue
		}
		if known[by] == nil {
			known[by] = p.distroPackage(by, manager, archs)
		}
		p.system[program.Path] = known[by]
	}
}

// distroPackage returns a package of a distribution. Its name may be followed by a colon and its architecture.
func (p *packages) distroPackage(name, manager string, archs map[string]string) *pkg {
	name, arch, ok := strings.Cut(name, ":")
	if !ok {
		arch = archs[name]
	}
	k := &pkg{name: name + " (" + manager + ")", manager: manager, claims: []string{arch}}
	machine, _ := binary.Named(arch)
	k.neutral = arch == "" || binary.ForAny(arch) || machine.Is(p.platform.Architecture)
	return k
}

// forAny reports whether the distribution states that the package is for any machine.
func (k *pkg) forAny() bool { return len(k.claims) == 1 && binary.ForAny(k.claims[0]) }
