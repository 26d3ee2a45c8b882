package parity

import (
	"maps"
	"regexp"
	"slices"
	"strings"
	"sync"

	"mtool/inspect/binary"
)

// programs compares the names of programs in PATH.
func programs(sides []side) (all []Difference) {
	names := map[string]bool{}
	have := make([]map[string]string, len(sides)) // the name by its neutral form
	for n, s := range sides {
		have[n] = map[string]string{}
		for _, name := range s.Contents.Programs {
			if plain := neutral(name); !isMachineName(plain) {
				have[n][plain], names[plain] = name, true
			}
		}
	}
	for _, plain := range slices.Sorted(maps.Keys(names)) {
		at := map[string]string{}
		shown := plain
		for n, s := range sides {
			if name, ok := have[n][plain]; ok {
				at[s.name], shown = name, name
			}
		}
		has := func(s side) string {
			if at[s.name] != "" {
				return "has it"
			}
			return ""
		}
		all = append(all, difference(RuleProgram, "program "+shown, sides, has, func(s side) string { return at[s.name] })...)
	}
	return all
}

// isMachineName reports whether a name consists of a machine only: util-linux installs setarch under such names.
func isMachineName(neutral string) bool {
	return strings.Trim(neutral, "*-_.") == "" ||
		slices.Contains([]string{"linux32", "linux64", "uname26", "i386", "ppc", "ppc32", "ppc64", "s390", "sparc"}, neutral)
}

// packages compares the package databases. Images without one are not compared.
func packages(sides []side) (all []Difference) {
	names := map[string]bool{}
	var listed []side
	versions := map[string]map[string]string{} // by the side's name and the neutral name
	needs := map[string]map[string]bool{}
	for _, s := range sides {
		if len(s.Contents.Packages) == 0 {
			continue
		}
		listed = append(listed, s)
		versions[s.name] = map[string]string{}
		for name, version := range s.Contents.Packages {
			versions[s.name][neutral(name)] = version
			names[neutral(name)] = true
		}
		needs[s.name] = map[string]bool{}
		for need := range s.Contents.Needs {
			needs[s.name][neutral(need)] = true
		}
	}
	if len(listed) == 0 {
		return nil
	}
	for _, name := range slices.Sorted(maps.Keys(names)) {
		version := func(s side) string { return versions[s.name][name] }
		// If exactly the images with the package have others that depend on it, the distribution causes the difference.
		byDependency := func(s side) bool { return needs[s.name][name] == (version(s) != "") }
		if anyLacks(listed, version) && (isHardwarePackage(name) || every(listed, byDependency)) {
			continue
		}
		all = append(all,
			difference(RulePackage, "package "+name, listed, func(s side) string { return withoutRebuild(version(s)) },
				version)...)
	}
	return all
}

func anyLacks(sides []side, version func(side) string) bool {
	return slices.ContainsFunc(sides, func(s side) bool { return version(s) == "" })
}

func every(sides []side, holds func(side) bool) bool {
	return !slices.ContainsFunc(sides, func(s side) bool { return !holds(s) })
}

// isHardwarePackage reports whether a package is by nature for one machine.
func isHardwarePackage(name string) bool {
	parts := strings.FieldsFunc(name, func(r rune) bool { return r == '-' || r == '_' || r == '.' })
	for _, part := range []string{
		"microcode", "ucode", "firmware", "efi", "grub", "grub2", "shim", "syslinux", "kernel", "kmod", "s390", "zipl",
		"opal", "raspi",
	} {
		if slices.Contains(parts, part) {
			return true
		}
	}
	return strings.HasPrefix(name, "linux-image") || strings.HasPrefix(name, "linux-modules") ||
		strings.HasPrefix(name, "linux-headers")
}

// withoutRebuild returns a version without the number of Debian's rebuild for one architecture.
func withoutRebuild(version string) string {
	at := strings.LastIndex(version, "+b")
	if at < 0 || strings.Trim(version[at+2:], "0123456789") != "" {
		return version
	}
	return version[:at]
}

// neutral replaces the words for machines in a text, and the rest of a target's name after them, by *.
func neutral(text string) string {
	named := binary.NamedIn(text)
	if len(named) == 0 {
		return text
	}
	var b strings.Builder
	at := 0
	for _, m := range named {
		from, to := m.Span()
		b.WriteString(text[at:from] + "*")
		at = to
	}
	b.WriteString(text[at:])
	return target().ReplaceAllString(b.String(), "*")
}

// target matches the rest of a target's name after the machine: x86_64-pc-linux-gnu, arm-linux-gnueabihf.
var target = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`\*-(pc-|unknown-|alpine-|redhat-|suse-)?linux-[a-z*]+[0-9]*`)
})
