package deep_test

import (
	"slices"
	"testing"

	"mtool/inspect"
	"mtool/inspect/deep"
)

// rows has for each row of the table a file that it covers, and a liar: one that comes close and is a mismatch.
func rows(t *testing.T) map[string]struct {
	platform    string
	twin, liar  []string
	options     deep.Options
	liarOptions deep.Options
	label       string
} {
	type row = struct {
		platform    string
		twin, liar  []string
		options     deep.Options
		liarOptions deep.Options
		label       string
	}
	one := func(lines ...string) []string { return lines }
	allow := func(texts ...string) deep.Options { return deep.Options{AllowForeign: globs(t, texts...)} }
	return map[string]row{
		"i386 in amd64":     {platform: "linux/amd64", twin: one("elf bin/sh 386"), liar: one("elf bin/sh armv7")},
		"hardware variants": {platform: "linux/arm/v6", twin: one("so lib/glibc-hwcaps/v7/libc.so.6 armv7"), liar: one("so lib/glibc-hwcaps/v7/libc.so.6 arm64")},
		"other system":      {platform: "linux/arm64", twin: one("pe pip/t64.exe"), liar: one("pe pip/t64")},
		"directory":         {platform: "linux/arm64", twin: one("so prebuilds/linux-x64/node.node amd64"), liar: one("so prebuilds/linux-arm64/node.node amd64")},
		"sibling":           {platform: "linux/arm64", twin: one("so opt/lib-x86_64.so amd64", "so opt/lib-aarch64.so arm64"), liar: one("so opt/lib-x86_64.so amd64", "so opt/other-aarch64.so arm64")},
		"emulator":          {platform: "linux/arm64", twin: one("elf usr/bin/qemu-arm-static amd64"), liar: one("elf usr/bin/qemu-io amd64")},
		"firmware":          {platform: "linux/arm64", twin: one("elf lib/firmware/x.elf 386"), liar: one("elf lib/firmwares/x.elf 386")},
		"testdata":          {platform: "linux/arm64", twin: one("elf src/testdata/a amd64"), liar: one("elf src/testdata.d/a amd64")},
		"--allow-foreign":   {platform: "linux/arm64", twin: one("elf opt/a/cc amd64"), options: allow("/opt/**"), liar: one("elf opt/a/cc amd64"), liarOptions: allow("opt/*")},
		"label":             {platform: "linux/arm64", twin: one("elf opt/a/cc amd64"), liar: one("elf opt/a/cc amd64"), liarOptions: deep.Options{Strict: true}, label: "x, opt/"},
	}
}

func TestRules(t *testing.T) {
	t.Parallel()
	table := rows(t)
	for _, rule := range deep.Rules() {
		row, ok := table[rule.Name]
		if !ok {
			if !slices.Contains([]string{deep.NotStated, "newer processor"}, rule.Name) { // their own test: TestBaselines
				t.Errorf("no test of the rule %q", rule.Name)
			}
			continue
		}
		t.Run(rule.Name, func(t *testing.T) {
			t.Parallel()
			arch := "elf app " + map[string]string{"linux/amd64": "amd64", "linux/arm64": "arm64", "linux/arm/v6": "armv6"}[row.platform]
			twin := image(t, row.platform, append(row.twin, arch)...)
			liar := image(t, row.platform, append(row.liar, arch)...)
			if row.label != "" {
				twin.Labels = map[string]string{deep.Label: row.label}
				liar.Labels = twin.Labels
			}
			r := run(t, twin, row.options)
			if r.Verdicts[0].State != inspect.BinariesOK {
				t.Errorf("the twin:\n%s", show(r))
			}
			if noted := slices.ContainsFunc(r.Findings, func(f inspect.Finding) bool { return f.Rule == rule.Name && f.Path != "" }); noted == rule.Quiet {
				t.Errorf("a note is %v, and the rule is quiet %v:\n%s", noted, rule.Quiet, show(r))
			}
			if r := run(t, liar, row.liarOptions); r.Verdicts[0].State != inspect.Mismatch {
				t.Errorf("the liar:\n%s", show(r))
			}
		})
	}
}

// Rules that are not for what the image starts never cover it, whatever the paths.
func TestRulesSpareOwnFiles(t *testing.T) {
	t.Parallel()
	everything := deep.Options{AllowForeign: globs(t, "**")}
	for name, lines := range map[string][]string{
		"entrypoint":  {"link app opt/linux-x64/testdata/qemu-x86_64", "elf opt/linux-x64/testdata/qemu-x86_64 amd64", "elf opt/other arm64"},
		"interpreter": {"script app /lib/firmware/x86_64/sh", "elf lib/firmware/x86_64/sh amd64", "elf opt/other arm64"},
		"loader":      {"elf app arm64 /lib/ld-linux-aarch64.so.1", "elf lib/ld-linux-aarch64.so.1 amd64"},
		"own loader":  {"elf app arm64", "so usr/x86_64-linux-gnu/ld.so amd64", "link lib/ld-musl-aarch64.so.1 /usr/x86_64-linux-gnu/ld.so"},
		"libc":        {"elf app arm64", "so usr/lib/libc.so.6 amd64"},
		"shell":       {"elf app arm64", "elf bin/busybox amd64", "link bin/sh busybox"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if r := run(t, image(t, "linux/arm64", lines...), everything); r.Verdicts[0].State != inspect.Mismatch {
				t.Errorf("it is covered:\n%s", show(r))
			}
		})
	}
	right := image(t, "linux/arm64", "elf app arm64", "so usr/lib/x86_64-linux-gnu/libc.so.6 amd64", "elf bin/sh arm64")
	if r := run(t, right, deep.Options{}); r.Verdicts[0].State != inspect.BinariesOK {
		t.Errorf("the libc of another machine, in its own directory:\n%s", show(r))
	}
}

// Code that says which processor it needs, in an image that promises less: wrong in arm, and wrong everywhere when strict.
func TestBaselines(t *testing.T) {
	t.Parallel()
	silent := run(t, image(t, "linux/amd64", "elf app amd64"), deep.Options{Strict: true})
	if silent.Verdicts[0].State != inspect.BinariesOK || len(silent.Findings) != 1 || silent.Findings[0].Rule != deep.NotStated {
		t.Errorf("a program that states nothing:\n%s", show(silent))
	}
	v3 := image(t, "linux/amd64", "elf app amd64v3")
	if r := run(t, v3, deep.Options{}); r.Verdicts[0].State != inspect.BinariesOK || r.Findings[0].Rule != "newer processor" {
		t.Errorf("x86-64-v3 in linux/amd64:\n%s", show(r))
	}
	if r := run(t, v3, deep.Options{Strict: true}); r.Verdicts[0].State != inspect.Mismatch {
		t.Errorf("x86-64-v3 in linux/amd64, strictly:\n%s", show(r))
	}
	if r := run(t, image(t, "linux/amd64/v3", "elf app amd64v3"), deep.Options{Strict: true}); r.Verdicts[0].State != inspect.BinariesOK || len(r.Findings) != 0 {
		t.Errorf("x86-64-v3 in linux/amd64/v3:\n%s", show(r))
	}
}
