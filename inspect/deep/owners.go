package deep

import (
	"path"
	"strings"

	"mtool/inspect/binary"
	"mtool/inspect/rootfs"
)

// architectures takes the architecture of each package from a database.
func (p *packages) architectures(e rootfs.Entry, archs map[string]string) {
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

// lists takes the programs that the list of a package names for its own.
func (p *packages) lists(e rootfs.Entry, archs map[string]string, programs map[string]rootfs.Entry) {
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
		p.owned(e, "", "rpm", archs, programs)
	case strings.HasSuffix(e.Path, "/db/installed"):
		p.owned(e, "", "apk", archs, programs)
	case strings.HasSuffix(file, ".list"), dir == "var/lib/dpkg/status.d/":
		p.owned(e, strings.TrimSuffix(strings.TrimSuffix(file, ".list"), ".md5sums"), "dpkg", archs, programs)
	}
}

// owned takes the programs that a package of a distribution has put there. What a layer above its list brings is not
// its own.
func (p *packages) owned(
	e rootfs.Entry, name, manager string, archs map[string]string, programs map[string]rootfs.Entry,
) {
	known := map[string]*pack{}
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
			program, ok = programs["usr/"+file] // bin and lib are links into it
		}
		if !ok || program.Layer > e.Layer {
			continue
		}
		if known[by] == nil {
			known[by] = p.distributed(by, manager, archs)
		}
		p.system[program.Path] = known[by]
	}
}

// distributed is a package of a distribution; its name may have its architecture behind a colon.
func (p *packages) distributed(name, manager string, archs map[string]string) *pack {
	name, arch, ok := strings.Cut(name, ":")
	if !ok {
		arch = archs[name]
	}
	k := &pack{name: name + " (" + manager + ")", manager: manager, claims: []string{arch}}
	machine, _ := binary.Named(arch)
	k.neutral = arch == "" || binary.ForAny(arch) || machine.Is(p.platform.Architecture)
	return k
}

// forAny reports whether a distribution says that the package is for any machine.
func (k *pack) forAny() bool { return len(k.claims) == 1 && binary.ForAny(k.claims[0]) }
