package deep_test

import (
	"cmp"
	"slices"
	"strings"
	"testing"

	"mtool/inspect"
	"mtool/inspect/deep"
)

// row tests a rule of the table: with a file that it covers, and a liar, which is similar but judged by another rule.
type row struct {
	platform   string
	twin, liar []string
	env        []string
	options    deep.Options
	label      string
	liarIs     inspect.State // "": a mismatch
}

func rows(t *testing.T) map[string]row {
	one := func(lines ...string) []string { return lines }
	allow := func(texts ...string) deep.Options { return deep.Options{AllowForeign: globs(t, texts...)} }
	const node = "srv/node_modules/"
	listed := slices.Clip(one(`says lib/apk/db/installed P:boot\nA:noarch\nV:1\nF:usr/share/boot\nR:stage1\n\n`))
	return map[string]row{
		"i386 in amd64": {platform: "linux/amd64", twin: one("elf bin/sh 386"), liar: one("elf bin/sh armv7")},
		"multilib": {
			platform: "linux/amd64",
			twin:     one("elf libx32/ld-linux-x32.so.2 x32", "so usr/libx32/libgcc_s.so.1 x32"),
			liar:     one("so usr/lib/libgcc_s.so.1 x32"),
		},
		"hardware variants": {
			platform: "linux/arm/v6", twin: one("so lib/glibc-hwcaps/v7/libc.so.6 armv7"),
			liar: one("so lib/glibc-hwcaps/v7/libc.so.6 arm64"),
		},
		"started": {
			twin: one("link app opt/x", "elf opt/x amd64"),
			liar: one("link other opt/x64", "elf opt/x64 amd64"),
		},
		"userland": {
			twin: one("so usr/lib/libc.so.6 amd64"), liar: one("so usr/x86_64-linux-gnu/lib/libc.so.6 amd64"),
			liarIs: inspect.BinariesOK,
		},
		"allowed": {
			twin: one("elf usr/bin/cc amd64"), options: allow("usr/bin/**"),
			liar: one("elf usr/libexec/cc amd64"),
		},
		"other system": {twin: one("pe pip/t64.exe"), liar: one("pe pip/t64")},
		"emulator": {
			twin: one("elf usr/bin/qemu-arm-static amd64", "elf usr/bin/resin-xbuild amd64"),
			liar: one("elf usr/bin/qemu-io amd64"),
		},
		"PATH": {
			twin: one("elf opt/linux-x64/helm amd64", "link usr/local/bin/helm /opt/linux-x64/helm"),
			liar: one("elf opt/linux-x64/helm amd64", "link opt/bin/helm /opt/linux-x64/helm"), liarIs: inspect.Warning,
		},
		"environment": {
			twin: one("elf opt/linux-x64/bin/java amd64"), env: one("JAVA_HOME=/opt/linux-x64"),
			liar: one("elf opt/linux-x64/lib/java amd64"), liarIs: inspect.Warning,
		},
		"library": {
			twin: one("needs bin/x arm64 libx.so.1 $ORIGIN/../opt/linux-x64", "so opt/linux-x64/libx.so.1 amd64"),
			liar: one("needs bin/x arm64 libx.so.1 $ORIGIN/../opt/linux-x64", "so opt/linux-x64/libx.so.1 amd64",
				"so usr/lib/libx.so.1 arm64"),
			liarIs: inspect.Warning,
		},
		"no loader": {
			twin:   one("elf usr/local/bin/x arm64 /lib/ld-linux-aarch64.so.1", "elf lib/ld-musl-aarch64.so.1 arm64"),
			liar:   one("elf usr/local/bin/x arm64 /lib/ld-linux-aarch64.so.1"),
			liarIs: inspect.Warning,
		},
		"label": {twin: one("elf opt/a/cc amd64"), liar: one("elf usr/bin/cc amd64"), label: "x, opt/,usr/"},
		"kernel modules": {
			twin: one("module lib/modules/x.o amd64"),
			liar: one("module lib/modules/x.o amd64", "object lib/modules/y.ko arm64"), liarIs: inspect.BinariesOK,
		},
		"start files": {
			twin: one("object usr/lib/crt1.o amd64"), liar: one("object usr/lib32/crt1.o amd64"),
			liarIs: inspect.BinariesOK,
		},
		"objects": {twin: one("object opt/x.o amd64"), liar: one("object opt/x.ko amd64")},
		"device":  {twin: one("elf opt/flash.elf xtensa"), liar: one("elf opt/flash.elf s390x")},
		"firmware": {
			twin: one("elf opt/share/qemu/s390-ccw.img s390x",
				"elf opt/share/qemu/s390-netboot.img s390x /lib/ld64.so.1", "so boot/vesa.c32 386"),
			liar: one("elf opt/share/qemus/s390-ccw.img s390x"),
		},
		".NET": {twin: one("il opt/tool.exe 386"), liar: one("il opt/tool.exe linux")},
		"sysroot": {
			twin: one("so usr/x86_64-linux-gnu/lib/libm.so.6 amd64",
				"so opt/userland/lib/ld-musl-x86_64.so.1 amd64", "elf opt/userland/bin/x amd64"),
			liar: one("so opt/userland/lib/ld-musl-x86_64.so.1 amd64", "elf opt/other/bin/x amd64"),
		},
		"testdata": {
			twin: one("elf src/testdata/a amd64", "elf spec/files/amd64.elf amd64"),
			liar: one("elf src/testdata.d/a amd64", "elf spec/files/some.elf amd64"),
		},
		"package data": {
			twin: one(append(listed, "elf usr/share/boot/stage1 amd64")...),
			liar: one(append(listed, "elf usr/share/boot/stage2 amd64")...),
		},
		"misnamed part": {
			twin: one("so prebuilds/linux-x64/node.node amd64", "so prebuilds/linux-arm64/node.node amd64",
				"so prebuilds/linux-s390x/node.node s390x"),
			liar: one("so opt/x/linux-x64/node.node amd64", "so opt/x/linux-s390x/node.node s390x"), liarIs: inspect.Warning,
		},
		"other platforms": {
			twin: one("so opt/lib-x86_64.so amd64", "so opt/lib-aarch64.so arm64"),
			liar: one("so opt/lib-x86_64.so amd64", "so opt/other-aarch64.so arm64"),
		},
		"Go plugin": {
			twin: one("plugin opt/linux-amd64/a.so amd64 x.org/a"),
			liar: one("plugin opt/p/a.so amd64 x.org/a", "plugin opt/p/b.so arm64 x.org/a"), liarIs: inspect.BinariesOK,
		},
		"other libc": {
			twin: one("elf lib/ld-linux-aarch64.so.1 arm64",
				`says `+node+`a/package.json {"name":"a","cpu":["arm64"],"libc":["musl"]}`,
				"needs "+node+"a/a.node arm64 libc.so /lib"),
			liar: one("elf lib/ld-musl-aarch64.so.1 arm64",
				`says `+node+`a/package.json {"name":"a","cpu":["arm64"],"libc":["musl"]}`,
				"needs "+node+"a/a.node arm64 libc.so /lib"), liarIs: inspect.BinariesOK,
		},
		"one platform": {
			twin: one("elf " + node + "@esbuild/linux-x64/bin/esbuild amd64"),
			liar: one("elf "+node+"@esbuild/linux-x64/bin/esbuild amd64",
				"elf "+node+"@esbuild/linux-arm64/bin/esbuild arm64"),
			liarIs: inspect.BinariesOK,
		},
		"part missing": {
			twin: one("so "+node+"a/bin/linux-x64/a.so amd64", "so "+node+"a/bin/linux-s390x/a.so s390x"),
			liar: one("so "+node+"a/bin/linux-x64/a.so amd64", "so "+node+"a/bin/linux-s390x/a.so s390x",
				"so "+node+"a/build/Release/a.so arm64"), liarIs: inspect.BinariesOK,
		},
		"no part": {
			twin:   one("elf 7zip/linux-x64/7za amd64", "elf 7zip/linux-s390x/7za s390x"),
			liar:   one("elf 7zip/linux-x64/7za amd64", "elf 7zip/linux-s390x/7za s390x", "elf 7zip/linux-arm64/7za arm64"),
			liarIs: inspect.BinariesOK,
		},
		"stray library": {
			twin: one("so usr/lib/aarch64-linux-gnu/x86_64/gconv.so amd64"),
			liar: one("so srv/aarch64-linux-gnu/x86_64/gconv.so amd64"), liarIs: inspect.Warning,
		},
		"directory": {twin: one("so opt/tools-linux-x64/x.so amd64"), liar: one("so opt/tools/x.so amd64")},
		"stray":     {twin: one("elf opt/any/where amd64"), liar: one("elf opt/any/where arm64"), liarIs: inspect.BinariesOK},
	}
}

// judgedBy returns the state that a rule gives to a file, and whether it judges any.
func judgedBy(r deep.Result, rule string) (inspect.State, bool) {
	for _, f := range r.Findings {
		if f.Rule == rule && f.Path != "" {
			return f.State, true
		}
	}
	return "", false
}

func TestRules(t *testing.T) {
	t.Parallel()
	table := rows(t)
	for _, rule := range deep.Rules() {
		row, ok := table[rule.Name]
		if !ok {
			if !slices.Contains([]string{deep.NotStated, "newer processor", "boot image"}, rule.Name) { // have tests of their own
				t.Errorf("no test of the rule %q", rule.Name)
			}
			continue
		}
		t.Run(rule.Name, func(t *testing.T) {
			t.Parallel()
			if row.platform == "" {
				row.platform = "linux/arm64"
			}
			arch := map[string]string{"linux/amd64": "amd64", "linux/arm64": "arm64", "linux/arm/v6": "armv6"}[row.platform]
			judged := func(lines []string, o deep.Options) deep.Result {
				if rule.Name != "started" || !strings.HasPrefix(lines[0], "link app") {
					lines = append(lines, "elf app "+arch)
				}
				s := image(t, row.platform, append(lines, "elf srv/own "+arch)...)
				s.Env = row.env
				if row.label != "" {
					s.Labels = map[string]string{deep.Label: row.label}
				}
				return run(t, s, o)
			}
			r := judged(row.twin, row.options)
			want := inspect.BinariesOK
			if rule.State == inspect.Mismatch {
				want = inspect.Mismatch
			}
			if r.Verdicts[0].State != want {
				t.Errorf("the twin is %s:\n%s", r.Verdicts[0].State, show(r))
			}
			if state, ok := judgedBy(r, rule.Name); ok == rule.Quiet || ok && state != rule.State {
				t.Errorf("the file is judged as %q, want the rule's %q:\n%s", state, rule.State, show(r))
			}
			r = judged(row.liar, row.options)
			state, covered := judgedBy(r, rule.Name)
			switch row.liarIs {
			case "", inspect.BinariesOK:
				if want := cmp.Or(row.liarIs, inspect.Mismatch); r.Verdicts[0].State != want {
					t.Errorf("the liar is not %s:\n%s", want, show(r))
				}
			default:
				if !slices.ContainsFunc(r.Findings, func(f inspect.Finding) bool { return f.State == row.liarIs }) {
					t.Errorf("the liar is not a %s:\n%s", row.liarIs, show(r))
				}
			}
			if covered && rule.State == inspect.Mismatch && state == rule.State {
				t.Errorf("the rule covers the liar:\n%s", show(r))
			}
			if strict := judged(row.liar,
				deep.Options{Strict: true, AllowForeign: row.options.AllowForeign}); row.liarIs == inspect.Warning &&
				strict.Verdicts[0].State != inspect.Mismatch {
				t.Errorf("a warning is not a mismatch under strict rules:\n%s", show(strict))
			}
		})
	}
}

// Exemptions never cover files that the image starts, whatever their paths.
func TestNeededFilesAreNotExempt(t *testing.T) {
	t.Parallel()
	everything := deep.Options{AllowForeign: globs(t, "**")}
	for name, lines := range map[string][]string{
		"entrypoint": {
			"link app opt/linux-x64/testdata/qemu-x86_64", "elf opt/linux-x64/testdata/qemu-x86_64 amd64",
			"elf opt/other arm64",
		},
		"interpreter": {"script app /lib/firmware/x86_64/sh", "elf lib/firmware/x86_64/sh amd64", "elf opt/other arm64"},
		"loader":      {"elf app arm64 /lib/ld-linux-aarch64.so.1", "elf lib/ld-linux-aarch64.so.1 amd64"},
		"own loader": {
			"elf app arm64", "so usr/x86_64-linux-gnu/ld.so amd64",
			"link lib/ld-musl-aarch64.so.1 /usr/x86_64-linux-gnu/ld.so",
		},
		"libc":  {"elf app arm64", "so usr/lib/libc.so.6 amd64"},
		"shell": {"elf app arm64", "elf bin/busybox amd64", "link bin/sh busybox"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if r := run(t, image(t, "linux/arm64", lines...), everything); r.Verdicts[0].State != inspect.Mismatch {
				t.Errorf("the file is exempt:\n%s", show(r))
			}
		})
	}
	right := image(t, "linux/arm64", "elf app arm64", "so usr/lib/x86_64-linux-gnu/libc.so.6 amd64", "elf bin/sh arm64")
	if r := run(t, right, deep.Options{}); r.Verdicts[0].State != inspect.BinariesOK {
		t.Errorf("the libc of another machine, in its own directory:\n%s", show(r))
	}
}

// A Node.js package needs its add-on for this platform: to have it for others only is a fault, but other files next to
// add-ons are not. A part's directory may also be named like a compiler target.
func TestAddOns(t *testing.T) {
	t.Parallel()
	const a = "srv/node_modules/a/"
	for name, c := range map[string]struct {
		lines []string
		want  inspect.State
	}{
		"for others only": {[]string{
			"pe " + a + "prebuilds/win32-x64/a.node",
			"so " + a + "prebuilds/linux-x64/a.node amd64",
		}, inspect.Mismatch},
		"for all": {
			[]string{
				"pe " + a + "prebuilds/win32-x64/a.node",
				"so " + a + "prebuilds/linux-x64/a.node amd64", "so " + a + "prebuilds/linux-arm64/a.node arm64",
			},
			inspect.BinariesOK,
		},
		"compiled here": {
			[]string{"pe " + a + "prebuilds/win32-x64/a.node", "so " + a + "build/Release/a.node arm64"},
			inspect.BinariesOK,
		},
		"another package compiled here": {
			[]string{
				"pe " + a + "prebuilds/win32-x64/a.node",
				"so " + a + "prebuilds/linux-x64/a.node amd64", "so srv/node_modules/b/build/Release/b.node arm64",
			},
			inspect.Mismatch,
		},
		"for one system": {[]string{"pe " + a + "prebuilds/win32-x64/a.node"}, inspect.BinariesOK},
		"a helper":       {[]string{"pe " + a + "vendor/win32-x64/a.exe"}, inspect.BinariesOK},
		"target":         {[]string{"so " + a + "releases/x86_64-unknown-linux-gnu/a.node amd64"}, inspect.Mismatch},
		"targets": {[]string{
			"so " + a + "releases/x86_64-unknown-linux-gnu/a.node amd64",
			"so " + a + "releases/aarch64-unknown-linux-gnu/a.node arm64",
		}, inspect.BinariesOK},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if r := run(t, image(t, "linux/arm64", append(c.lines, "elf app arm64")...),
				deep.Options{}); r.Verdicts[0].State != c.want {
				t.Errorf("want %s:\n%s", c.want, show(r))
			}
		})
	}
}

// Code for a newer processor than the image promises is a mismatch on arm, and with Strict everywhere.
func TestBaselines(t *testing.T) {
	t.Parallel()
	silent := run(t, image(t, "linux/amd64", "elf app amd64"), deep.Options{Strict: true})
	if silent.Verdicts[0].State != inspect.BinariesOK || len(silent.Findings) != 1 ||
		silent.Findings[0].Rule != deep.NotStated {
		t.Errorf("a program without a baseline:\n%s", show(silent))
	}
	v3 := image(t, "linux/amd64", "elf app amd64v3")
	if r := run(t, v3, deep.Options{}); r.Verdicts[0].State != inspect.BinariesOK ||
		r.Findings[0].Rule != "newer processor" {
		t.Errorf("x86-64-v3 in linux/amd64:\n%s", show(r))
	}
	if r := run(t, v3, deep.Options{Strict: true}); r.Verdicts[0].State != inspect.Mismatch {
		t.Errorf("x86-64-v3 in linux/amd64, strictly:\n%s", show(r))
	}
	if r := run(t, image(t, "linux/amd64/v3", "elf app amd64v3"),
		deep.Options{Strict: true}); r.Verdicts[0].State != inspect.BinariesOK || len(r.Findings) != 0 {
		t.Errorf("x86-64-v3 in linux/amd64/v3:\n%s", show(r))
	}
}
