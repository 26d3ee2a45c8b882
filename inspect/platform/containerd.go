package platform

import (
	"slices"
	"strconv"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// containerd returns the rows that containerd, and Docker with its library, would take: those of the node's platform,
// then those of what it runs too (older variants, 386 on amd64, 32-bit ARM on arm64), as far as its aliases reach. Rows
// without a platform come last. On Windows the os.version must fit the node's, and the latest is taken. See
// https://github.com/containerd/platforms/blob/v1.0.0-rc.5/compare.go and LimitManifests of containerd's core/images.
func (o Offer) containerd(node v1.Platform) (fits []candidate) {
	n := newContainerdNode(node)
	for i, row := range o.Rows {
		if row.Platform == nil {
			fits = append(fits, candidate{row: i, unstated: true, rank: unstatedRank})
			continue
		}
		rank := n.rank(*row.Platform)
		if rank < 0 {
			continue
		}
		c := candidate{row: i, rank: rank, features: len(row.Platform.OSFeatures)}
		if n.OS == "windows" {
			c.features, c.version = 0, row.Platform.OSVersion
		}
		fits = append(fits, c)
	}
	return fits
}

// containerdNode is a node and the machines whose programs it runs, best first.
type containerdNode struct {
	v1.Platform
	machines []machine
}

// machine is an architecture with its variant, as containerd spells them.
type machine struct{ arch, variant string }

func newContainerdNode(p v1.Platform) containerdNode {
	n := containerdNode{Platform: p}
	own := machineOf(p.Architecture, p.Variant)
	switch {
	case p.OS == "windows":
		n.machines = []machine{own}
	case own.arch == "amd64":
		n.machines = append(append([]machine{own}, older(own, 1)...), machine{"386", ""})
	case own.arch == "arm":
		n.machines = append([]machine{own}, older(own, 5)...)
	case own.arch == "arm64":
		n.machines = arm64Machines(own.variant)
	default:
		n.machines = []machine{own}
	}
	return n
}

// older returns the variants below that of m, down to least.
func older(m machine, least int) (all []machine) {
	version, err := strconv.Atoi(strings.TrimPrefix(m.variant, "v"))
	if err != nil {
		return nil
	}
	for version--; version >= least; version-- {
		all = append(all, machineOf(m.arch, "v"+strconv.Itoa(version)))
	}
	return all
}

// arm64Machines returns what an ARMv8 or ARMv9 runs; nothing for releases that containerd does not know. v9.x is
// v8.(x+5) too, and all of them run 32-bit programs, as far as containerd knows.
func arm64Machines(variant string) (all []machine) {
	own := machineOf("arm64", variant)
	v8, v9 := points64(8, 9), points64(9, 7)
	if i := slices.Index(v9, own); i >= 0 {
		all = slices.Clone(v9[i:])
		v8 = points64(8, min(len(all)-1+5, 9))
	} else if i := slices.Index(v8, own); i >= 0 {
		v8 = v8[i:]
	} else {
		return nil
	}
	arm := machine{"arm", "v8"}
	return slices.Concat(all, v8, []machine{arm}, older(arm, 5))
}

// points64 returns the releases of an ARM architecture, from last down to the one without a point.
func points64(major, last int) (all []machine) {
	for _, p := range slices.Backward(points("v"+strconv.Itoa(major), last)) {
		all = append(all, machineOf("arm64", p))
	}
	return append(all, machineOf("arm64", "v"+strconv.Itoa(major)))
}

// machineOf returns how containerd reads the words of a row. It knows fewer aliases than people do.
func machineOf(arch, variant string) machine {
	m := machine{strings.ToLower(arch), strings.ToLower(variant)}
	switch m.arch {
	case "i386":
		return machine{"386", ""}
	case "armhf":
		return machine{"arm", "v7"}
	case "armel":
		return machine{"arm", "v6"}
	case "x86_64", "x86-64":
		m.arch = "amd64"
	case "aarch64":
		m.arch = "arm64"
	}
	switch m.arch + "/" + m.variant {
	case "amd64/v1", "arm64/8", "arm64/v8", "arm64/v8.0":
		m.variant = ""
	case "arm64/9", "arm64/9.0", "arm64/v9.0":
		m.variant = "v9"
	case "arm/":
		m.variant = "v7"
	case "arm/5", "arm/6", "arm/7", "arm/8":
		m.variant = "v" + m.variant
	}
	return m
}

// rank returns the position of a row's platform among those that the node runs; -1: it does not run it.
func (n containerdNode) rank(p v1.Platform) int {
	os := canonicalOS(p.OS)
	if os == "" {
		os = n.OS
	}
	features := p.OSFeatures
	if n.OS == "windows" {
		features = slices.DeleteFunc(slices.Clone(features), func(f string) bool { return f == "win32k" })
	}
	if os != n.OS || !includes(n.OSFeatures, features) || n.OS == "windows" && !runsWindows(n.OSVersion, p.OSVersion) {
		return -1
	}
	return slices.Index(n.machines, machineOf(p.Architecture, p.Variant))
}

func (n containerdNode) runs(p v1.Platform) bool { return n.rank(p) >= 0 }

// runsWindows reports whether a Windows host runs containers of an os.version: of its own build or, from Server 2022
// on, of all builds since that one. An empty os.version fits. See
// https://learn.microsoft.com/en-us/virtualization/windowscontainers/deploy-containers/version-compatibility
func runsWindows(host, container string) bool {
	h, c := windowsBuild(host), windowsBuild(container)
	if h == (build{}) || container == "" {
		return true
	}
	const server2022 = 20348
	switch {
	case h.major != c.major || h.minor != c.minor:
		return false
	case h.build < server2022:
		return h.build == c.build
	}
	return server2022 <= c.build && c.build <= h.build
}

// build is the part of a Windows version that decides.
type build struct{ major, minor, build uint64 }

// windowsBuild parses 10.0.20348.1; zero for anything that is not a version.
func windowsBuild(version string) build {
	parts := strings.Split(version, ".")
	if len(parts) < 3 {
		return build{}
	}
	var b build
	for i, part := range []*uint64{&b.major, &b.minor, &b.build} {
		var err error
		if *part, err = strconv.ParseUint(parts[i], 10, []int{8, 8, 16}[i]); err != nil {
			return build{}
		}
	}
	return b
}
