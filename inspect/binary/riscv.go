package binary

import (
	"slices"
	"strings"
)

// The extensions that each RISC-V profile adds to the one before, and those that toolchains write for their parts.
// https://github.com/riscv/riscv-profiles/blob/main/src/profiles.adoc,
// https://github.com/riscv/riscv-profiles/blob/main/src/rva23-profile.adoc
const (
	rva20 = " i m a f d c g zicsr zifencei zicntr ziccif ziccrse ziccamoa za128rs zicclsm zmmul zaamo zalrsc zca zcd "
	rva22 = " b zihpm zba zbb zbs zic64b zicbom zicbop zicboz zfhmin zkt zihintpause za64rs "
	rva23 = " v zvfhmin zvbb zvkb zvkt zihintntl zicond zimop zcmop zcb zfa zawrs zve32f zve32x zve64d zve64f zve64x zvl32b zvl64b zvl128b "
)

// riscvProfile returns the first profile with all extensions of a 64-bit instruction set, written as in attributes:
// rv64i2p1_m2p0_a2p1, or a profile with more extensions. It is "" if an extension is in no profile.
func riscvProfile(isa string) string {
	profiles := []struct{ name, has string }{{"rva20u64", rva20}, {"rva22u64", rva22}, {"rva23u64", rva23}}
	needs := 0
	for _, part := range extensions(strings.ToLower(isa)) {
		first := slices.IndexFunc(profiles, func(p struct{ name, has string }) bool {
			return part == p.name || strings.Contains(p.has, " "+part+" ")
		})
		if first < 0 {
			return ""
		}
		needs = max(needs, first)
	}
	return profiles[needs].name
}

// extensions returns the parts of a 64-bit instruction set without their versions; one empty part for other sets.
func extensions(isa string) []string {
	parts := strings.Split(isa, "_")
	if strings.HasPrefix(parts[0], "rva") {
		return parts
	}
	base, ok := strings.CutPrefix(parts[0], "rv64")
	if !ok {
		return []string{""}
	}
	for n, part := range parts {
		parts[n] = withoutVersion(part)
	}
	return append(strings.Split(withoutVersion(base), ""), parts[1:]...) // rv64gc consists of rv64, g and c
}

// withoutVersion removes the version from an extension: zba1p0 becomes zba.
func withoutVersion(name string) string {
	major := strings.TrimRight(name, "0123456789")
	if bare, ok := strings.CutSuffix(major, "p"); ok && major != name {
		if cut := strings.TrimRight(bare, "0123456789"); cut != bare {
			return cut
		}
	}
	return name
}
