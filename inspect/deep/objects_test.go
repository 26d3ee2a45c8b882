package deep_test

import (
	"strings"
	"testing"

	"mtool/inspect"
	"mtool/inspect/deep"
)

// An image without programs for Linux must fit the machine that boots or loads it.
func TestBootImages(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, platform string
		lines          []string
		want           inspect.State
		text           string // in the findings
	}{
		{
			"modules with any name", "linux/arm64",
			[]string{"module opt/a.bin amd64", "module opt/b.bin amd64"},
			inspect.Mismatch, "/opt/a.bin is an amd64 kernel module",
		},
		{"modules of the platform", "linux/amd64", []string{"module opt/a.bin amd64"}, inspect.BinariesOK, ""},
		{
			"modules and a program", "linux/arm64",
			[]string{"elf app arm64", "module opt/a.bin amd64"},
			inspect.Mismatch,
			"kernel module",
		},
		{
			"an object and a program", "linux/arm64",
			[]string{"elf app arm64", "object opt/a.bin amd64"},
			inspect.BinariesOK, "",
		},
		{
			"EFI", "linux/arm64",
			[]string{"efi EFI/BOOT/BOOTX64.EFI amd64", "plain loader.conf"},
			inspect.Mismatch,
			"BOOTX64.EFI",
		},
		{"EFI of the platform", "linux/amd64", []string{"efi EFI/BOOT/BOOTX64.EFI amd64"}, inspect.BinariesOK, ""},
		{
			"EFI of two machines", "linux/arm64",
			[]string{"efi EFI/BOOT/BOOTX64.EFI amd64", "efi EFI/BOOT/BOOTAA64.EFI arm64"},
			inspect.BinariesOK, "",
		},
		{
			"EFI and a program", "linux/arm64",
			[]string{"elf app arm64", "efi EFI/BOOT/BOOTX64.EFI amd64"},
			inspect.BinariesOK, "",
		},
		{"firmware", "linux/arm64", []string{"elf usr/lib/firmware/x.bin amd64"}, inspect.Mismatch, "firmware/x.bin"},
		{"firmware of the platform", "linux/amd64", []string{"elf usr/lib/firmware/x.bin amd64"}, inspect.BinariesOK, ""},
		{"firmware of a device", "linux/arm64", []string{"elf usr/lib/firmware/x.bin xtensa"}, inspect.Unknown, "device"},
		{
			"firmware and a program", "linux/arm64",
			[]string{"elf app arm64", "elf usr/lib/firmware/x.bin amd64"},
			inspect.BinariesOK, "",
		},
		{
			"firmware, a module and EFI", "linux/arm64",
			[]string{"object boot/a.ko amd64", "efi boot/vmlinuz amd64", "elf boot/firmware/x amd64"},
			inspect.Mismatch,
			"vmlinuz",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := image(t, c.platform, c.lines...)
			if !strings.HasPrefix(c.lines[0], "elf app") {
				s.Entrypoint = nil
			}
			r := run(t, s, deep.Options{})
			if r.Verdicts[0].State != c.want || !strings.Contains(show(r), c.text) {
				t.Errorf("want %s with %q:\n%s", c.want, c.text, show(r))
			}
			if allowed := run(t, s, deep.Options{AllowForeign: globs(t, "**")}); c.want == inspect.Mismatch &&
				allowed.Verdicts[0].State == inspect.Mismatch {
				t.Errorf("a file that the caller allows is a mismatch:\n%s", show(allowed))
			}
		})
	}
}
