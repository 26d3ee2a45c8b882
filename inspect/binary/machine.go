package binary

import (
	"debug/elf"
	"debug/macho"
	"debug/pe"
)

// elfArch returns the name of an e_machine; "" if it is unknown, or never had that width and byte order: no system
// runs a big-endian amd64. Names are those of GOARCH if Go has or reserves one, else Debian's, else those of
// binutils. The tables have the machines on which Go, Debian and Alpine run, and those of the firmware and cross
// compilers in their images. https://gabi.xinuos.com/elf/a-emachine.html
func elfArch(number elf.Machine, bits int, order Order) string {
	wide, little := bits == 64, order == Little
	switch number {
	case elf.EM_386, elf.EM_486: // Linux accepts either
		return onlyIf(!wide && little, "386")
	case elf.EM_X86_64:
		return onlyIf(little, either(wide, "amd64", "x32"))
	case elf.EM_ARM:
		return onlyIf(!wide, either(little, "arm", "armbe"))
	case elf.EM_AARCH64:
		return either(wide, either(little, "arm64", "arm64be"), onlyIf(little, "arm64ilp32"))
	case elf.EM_S390, 0xa390: // the latter is from before it had an official number
		return onlyIf(!little, either(wide, "s390x", "s390"))
	case elf.EM_PPC:
		return onlyIf(!wide, either(little, "ppcle", "ppc"))
	case elf.EM_PPC64:
		return onlyIf(wide, either(little, "ppc64le", "ppc64"))
	case elf.EM_RISCV:
		return onlyIf(little, either(wide, "riscv64", "riscv"))
	case elf.EM_MIPS, elf.EM_MIPS_RS3_LE: // the flags tell n32
		return either(wide, "mips64", "mips") + onlyIf(little, "le")
	case elf.EM_LOONGARCH:
		return onlyIf(little, either(wide, "loong64", "loong32"))
	case emSW64, emSW64Old:
		return onlyIf(wide && little, "sw64")
	}
	return rareArch(number, bits, order)
}

// Sunway's number, and the one that its toolchains wrote before; debug/elf has neither.
const emSW64, emSW64Old = elf.Machine(268), elf.Machine(0x9916)

func either(first bool, a, b string) string {
	if first {
		return a
	}
	return b
}

func onlyIf(ok bool, s string) string { return either(ok, s, "") }

// rareArch continues with machines that Go does not support: Debian's ports, past and present, and firmware.
func rareArch(number elf.Machine, bits int, order Order) string {
	switch number {
	case elf.EM_SPARC, elf.EM_SPARC32PLUS:
		return "sparc"
	case elf.EM_SPARCV9:
		return "sparc64"
	case elf.EM_ALPHA, elf.EM_ALPHA_STD:
		return "alpha"
	case elf.EM_PARISC:
		return either(bits == 64, "hppa64", "hppa")
	case elf.EM_IA_64:
		return "ia64"
	case elf.EM_68K:
		return "m68k"
	case elf.EM_SH:
		return either(order == Little, "sh4", "sh4eb")
	case elf.EM_OPENRISC, 0x8472: // the latter is from before it had an official number
		return "or1k"
	case elf.EM_MICROBLAZE, 0xbaab:
		return either(order == Big, "microblaze", "microblazeel")
	case elf.EM_M32R, 0x9041:
		return "m32r"
	case 0x18ad:
		return "avr32"
	case 252:
		return "csky"
	case elf.EM_MCST_ELBRUS:
		return "e2k"
	}
	return smallArch(number)
}

// smallArch continues with processors that do not, or no longer, run Debian, and those of devices.
func smallArch(number elf.Machine) string {
	switch number {
	case elf.EM_ARC, elf.EM_ARC_COMPACT, elf.EM_ARC_COMPACT2, 253, 255: // the last two are the third generation
		return "arc"
	case elf.EM_XTENSA:
		return "xtensa"
	case elf.EM_QDSP6:
		return "hexagon"
	case elf.EM_ALTERA_NIOS2:
		return "nios2"
	case elf.EM_TILEGX, elf.EM_TILEPRO:
		return "tile"
	case elf.EM_AVR:
		return "avr"
	case elf.EM_MSP430:
		return "msp430"
	case elf.EM_V850:
		return "v850"
	case elf.EM_RX:
		return "rx"
	case elf.EM_LANAI:
		return "lanai"
	case elf.EM_VIDEOCORE, elf.EM_VIDEOCORE3, elf.EM_VIDEOCORE5:
		return "videocore"
	}
	return controllerArch(number)
}

// controllerArch continues with processors of cars, sensors and accelerator boards.
func controllerArch(number elf.Machine) string {
	switch number {
	case elf.EM_TRICORE:
		return "tricore"
	case elf.EM_BLACKFIN:
		return "blackfin"
	case elf.EM_TI_C6000:
		return "c6x"
	case elf.EM_RL78:
		return "rl78"
	case 251:
		return "ve"
	}
	return deviceArch(number)
}

// deviceArch returns the name of code that does not run as a process: in the kernel, or on a graphics card.
func deviceArch(number elf.Machine) string {
	switch number {
	case elf.EM_BPF:
		return "bpf"
	case elf.EM_AMDGPU:
		return "amdgpu"
	case elf.EM_CUDA:
		return "cuda"
	case elf.EM_INTEL205:
		return "intelgt"
	}
	return ""
}

// peArch returns the name of an IMAGE_FILE_MACHINE_*; "" if it is unknown.
// https://learn.microsoft.com/windows/win32/debug/pe-format#machine-types
func peArch(number uint16) string {
	switch number {
	case pe.IMAGE_FILE_MACHINE_I386:
		return "386"
	case pe.IMAGE_FILE_MACHINE_AMD64:
		return "amd64"
	case pe.IMAGE_FILE_MACHINE_ARM, pe.IMAGE_FILE_MACHINE_THUMB, pe.IMAGE_FILE_MACHINE_ARMNT:
		return "arm"
	case pe.IMAGE_FILE_MACHINE_ARM64, 0xa641, 0xa64e: // the last two are ARM64EC and ARM64X, which may call amd64 code
		return "arm64"
	case pe.IMAGE_FILE_MACHINE_IA64:
		return "ia64"
	case pe.IMAGE_FILE_MACHINE_RISCV32:
		return "riscv"
	case pe.IMAGE_FILE_MACHINE_RISCV64:
		return "riscv64"
	case pe.IMAGE_FILE_MACHINE_LOONGARCH64:
		return "loong64"
	case pe.IMAGE_FILE_MACHINE_LOONGARCH32:
		return "loong32"
	case pe.IMAGE_FILE_MACHINE_POWERPC, pe.IMAGE_FILE_MACHINE_POWERPCFP:
		return "ppcle"
	case pe.IMAGE_FILE_MACHINE_R4000, pe.IMAGE_FILE_MACHINE_WCEMIPSV2, pe.IMAGE_FILE_MACHINE_MIPSFPU:
		return "mipsle"
	case pe.IMAGE_FILE_MACHINE_SH4:
		return "sh4"
	case pe.IMAGE_FILE_MACHINE_EBC:
		return "ebc"
	}
	return ""
}

// machArch returns the name of a cputype; "" if it is unknown.
// https://github.com/apple-oss-distributions/xnu/blob/main/osfmk/mach/machine.h
func machArch(cpu macho.Cpu) string {
	const abi64p32 = 0x0200_0000 // 64-bit instructions, 32-bit pointers
	switch cpu {
	case macho.Cpu386:
		return "386"
	case macho.CpuAmd64:
		return "amd64"
	case macho.CpuArm:
		return "arm"
	case macho.CpuArm64:
		return "arm64"
	case macho.CpuArm | abi64p32:
		return "arm64ilp32"
	case macho.CpuPpc:
		return "ppc"
	case macho.CpuPpc64:
		return "ppc64"
	}
	return ""
}
