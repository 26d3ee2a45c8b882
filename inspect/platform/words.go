package platform

import "strings"

// spelled are the words for architectures in names of files, directories and images. Keys are GOARCH and, where Go has none,
// Debian's.
func spelled(arch string) []string {
	switch arch {
	case "amd64":
		return []string{"amd64", "x86_64", "x86-64", "x64", "x8664"}
	case "386":
		return []string{"386", "i386", "i486", "i586", "i686", "x86", "x32", "ia32"}
	case "x32":
		return []string{"x32", "x86_64", "gnux32"}
	case "arm64":
		return []string{"arm64", "aarch64", "armv8", "arm64v8", "armv8l", "armv9"}
	case "arm":
		return []string{
			"arm", "armhf", "armel", "armeabi", "arm32", "armv5", "armv5l", "armv5te", "armv5tel", "armv6", "armv6l", "armv6hf",
			"armv7", "armv7l", "armv7a", "armv7hf", "arm32v5", "arm32v6", "arm32v7", "gnueabi", "gnueabihf", "musleabi", "musleabihf",
		}
	}
	return rarelySpelled(arch)
}

// rarelySpelled goes on where spelled ends.
func rarelySpelled(arch string) []string {
	switch arch {
	case "ppc64le":
		return []string{"ppc64le", "ppc64el", "powerpc64le"}
	case "ppc64":
		return []string{"ppc64", "powerpc64"}
	case "ppc":
		return []string{"ppc", "powerpc", "ppc32"}
	case "s390x":
		return []string{"s390x"}
	case "riscv64":
		return []string{"riscv64", "riscv64gc", "rv64", "rv64gc"}
	case "riscv":
		return []string{"riscv32", "riscv", "rv32"}
	case "loong64":
		return []string{"loong64", "loongarch64"}
	case "mips", "mipsle":
		return []string{"mips", "mipsel", "mipsle", "mips32", "mipsisa32r6", "mipsisa32r6el"}
	case "mips64", "mips64le":
		return []string{"mips64", "mips64el", "mips64le", "mipsisa64r6", "mipsisa64r6el", "gnuabi64", "gnuabin32"}
	case "":
		return nil
	}
	return []string{arch} // m68k, sparc64, hppa …
}

// Named reports whether a name has a word for an architecture between characters that are neither letters nor digits.
func Named(name, arch string) bool {
	for _, word := range spelled(arch) {
		if at(name, word) >= 0 {
			return true
		}
	}
	return false
}

// at is where a word stands in a name, on its own; -1: nowhere. In x86_64 there is no x86.
func at(name, word string) int {
	name = strings.ToLower(name)
	for from := 0; ; {
		i := strings.Index(name[from:], word)
		if i < 0 {
			return -1
		}
		i += from
		end := i + len(word)
		whole := (i == 0 || !wordByte(name[i-1])) && (end == len(name) || !wordByte(name[end]))
		if wide := strings.HasPrefix(name[end:], "_64") || strings.HasPrefix(name[end:], "-64"); whole && (word != "x86" || !wide) {
			return i
		}
		from = i + 1
	}
}

func wordByte(c byte) bool { return c >= 'a' && c <= 'z' || c >= '0' && c <= '9' }

// Renamed are the names that a file would have if it were for another architecture.
func Renamed(name, from, to string) []string {
	var all []string
	for _, word := range spelled(from) {
		i := at(name, word)
		if i < 0 {
			continue
		}
		for _, other := range spelled(to) {
			all = append(all, name[:i]+other+name[i+len(word):])
		}
	}
	return all
}

// Foreign is an architecture that words of a text name, where none of them names arch; "" if there is none. Words that people
// use for several machines (arm, x86) name none here, nor does 386 in amd64, which runs it.
func Foreign(text, arch string) string {
	if Named(text, arch) {
		return ""
	}
	for _, other := range []string{"amd64", "arm64", "arm", "386", "ppc64le", "s390x", "riscv64", "loong64", "mips64le", "mips64", "ppc64"} {
		for _, word := range spelled(other) {
			vague := word == "arm" || word == "x86" || word == "x32" || word == "386"
			if !vague && at(text, word) >= 0 && (other != "386" || arch != "amd64") {
				return other
			}
		}
	}
	return ""
}
