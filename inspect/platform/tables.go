package platform

import (
	"slices"
	"strconv"
	"strings"
)

// operatingSystems returns the values of GOOS, past ones included, and those of WebAssembly: wasi, which container
// runtimes used before wasip1, and wasip2, for components.
func operatingSystems() []string {
	return []string{
		"aix", "android", "darwin", "dragonfly", "freebsd", "hurd", "illumos", "ios", "js", "linux", "nacl", "netbsd",
		"openbsd", "plan9", "solaris", "wasi", "wasip1", "wasip2", "windows", "zos",
	}
}

// architectures returns those that Go, or a vendor of base images, ever had for the operating system. They come from
// `go tool dist list` and Go's syslist.go; sw64 is Sunway's, whose Linux distributions and Go use this name. linux/wasm
// is what nodes with a runtime for WebAssembly call it.
func architectures(os string) []string {
	switch os {
	case "linux":
		return []string{
			"386", "amd64", "arm", "arm64", "arm64be", "armbe", "loong64", "mips", "mips64", "mips64le", "mips64p32",
			"mips64p32le", "mipsle", "ppc", "ppc64", "ppc64le", "riscv", "riscv64", "s390", "s390x", "sparc", "sparc64", "sw64",
			wasm,
		}
	case "aix":
		return []string{"ppc64"}
	case "android", "darwin", "windows":
		return []string{"386", "amd64", "arm", "arm64"}
	case "dragonfly", "illumos":
		return []string{"amd64"}
	case "freebsd":
		return []string{"386", "amd64", "arm", "arm64", "ppc64", "ppc64le", "riscv64"}
	case "hurd":
		return []string{"386", "amd64"}
	case "ios":
		return []string{"amd64", "arm64"}
	case "js", "wasi", "wasip1", "wasip2":
		return []string{wasm}
	case "nacl":
		return []string{"386", "amd64p32", "arm"}
	case "netbsd", "openbsd":
		return []string{"386", "amd64", "arm", "arm64", "mips64", "mips64le", "ppc64", "riscv64", "sparc64"}
	case "plan9":
		return []string{"386", "amd64", "arm"}
	case "solaris":
		return []string{"amd64", "sparc", "sparc64"}
	case "zos":
		return []string{"s390x"}
	}
	return nil
}

const wasm = "wasm"

// machines returns the architectures that mean Linux when they stand alone: wasm could be of several systems.
func machines() []string {
	return slices.DeleteFunc(architectures("linux"), func(a string) bool { return a == wasm })
}

// variants returns those of the OCI image specification and of Go's GOAMD64, GOARM, GOARM64 and the like.
func variants(arch string) []string {
	switch arch {
	case "386":
		return []string{"sse2", "softfloat"}
	case "amd64":
		return []string{"v1", "v2", "v3", "v4"}
	case "arm", "armbe":
		return []string{"v5", "v6", "v7", "v8"}
	case "arm64", "arm64be":
		return slices.Concat([]string{"v8"}, points("v8", 9), []string{"v9"}, points("v9", 5))
	case "mips", "mipsle", "mips64", "mips64le":
		return []string{"hardfloat", "softfloat"}
	case "ppc64", "ppc64le":
		return []string{"power8", "power9", "power10"}
	case "riscv64":
		return []string{"rva20u64", "rva22u64", "rva23u64"}
	}
	return nil
}

// points returns the point releases of an ARM architecture: v8.1 to v8.9.
func points(of string, last int) []string {
	all := make([]string, 0, last)
	for n := 1; n <= last; n++ {
		all = append(all, of+"."+strconv.Itoa(n))
	}
	return all
}

func canonicalOS(os string) string {
	os = strings.ToLower(os)
	if os == "macos" {
		return "darwin"
	}
	return os
}

// canonicalArch replaces an alias of an architecture: the names of `uname -m`, Debian, Docker Hub's users and people.
// implied is the variant that the alias names, "" when it names none.
func canonicalArch(arch string) (canonical, implied string) {
	switch arch = strings.ToLower(arch); arch {
	case "i386", "i486", "i586", "i686", "x86":
		return "386", ""
	case "x86_64", "x86-64", "x64":
		return "amd64", ""
	case "aarch64", "arm64v8":
		return "arm64", ""
	case "armel", "armv6", "armv6l", "arm32v6":
		// Debian's armel is older than v6, but containerd and everything that follows it read v6.
		return "arm", "v6"
	case "armhf", "armv7", "armv7l", "armv7a", "arm32v7":
		return "arm", "v7"
	case "armv5", "armv5l", "armv5tel", "arm32v5":
		return "arm", "v5"
	case "ppc64el", "powerpc64le":
		return "ppc64le", ""
	case "mipsel":
		return "mipsle", ""
	case "mips64el":
		return "mips64le", ""
	case "loongarch64":
		return "loong64", ""
	case "sw_64", "shenwei":
		return "sw64", ""
	}
	return arch, ""
}
