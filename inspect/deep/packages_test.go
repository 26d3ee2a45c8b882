package deep_test

import (
	"fmt"
	"strings"
	"testing"

	"mtool/inspect"
	"mtool/inspect/deep"
)

// Packages in linux/arm64, with each liar and its honest twin.
func TestPackages(t *testing.T) {
	t.Parallel()
	const (
		node   = "srv/node_modules/"
		wheels = "usr/lib/python3.11/site-packages/"
		gems   = "usr/lib/ruby/gems/3.1.0/"
		wrong  = inspect.Mismatch
		right  = inspect.BinariesOK
	)
	esbuild := `says ` + node +
		`esbuild/package.json {"name":"esbuild","optionalDependencies":{"@esbuild/linux-x64":"1","@esbuild/linux-arm64":"1"}}`
	esbuildX64 := `says ` + node +
		`@esbuild/linux-x64/package.json {"name":"@esbuild/linux-x64","os":["linux"],"cpu":["x64"]}`
	turbo := `says ` + node +
		`turbo/package.json {"name":"turbo","optionalDependencies":{"turbo-linux-64":"1","turbo-linux-arm64":"1"}}`
	sharp := `says ` + node +
		`sharp/package.json {"name":"sharp","optionalDependencies":{"@img/sharp-linux-x64":"1","@img/sharp-linux-arm64":"1","@img/sharp-libvips-linux-x64":"1","@img/sharp-libvips-linux-arm64":"1"}}`
	const (
		glibc  = "elf lib/ld-linux-aarch64.so.1 arm64"
		musl   = "elf lib/ld-musl-aarch64.so.1 arm64"
		preGyp = `says ` + node +
			`a/package.json {"name":"a","binary":{"module_name":"a","module_path":"./lib/binding/{platform}-{arch}","host":"https://example.com"}}`
		forMusl = `says ` + node +
			`@x/a-linux-arm64-musl/package.json {"name":"@x/a-linux-arm64-musl","os":["linux"],"cpu":["arm64"],"libc":["musl"]}`
		family = `says ` + node +
			`a/package.json {"name":"a","optionalDependencies":{"@x/a-linux-arm64-musl":"1","@x/a-linux-arm64-gnu":"1"}}`
	)
	record := func(name, tag string, files ...string) []string {
		return []string{
			"says " + wheels + name + ".dist-info/WHEEL Wheel-Version: 1.0\\nTag: " + tag + "\\n",
			"says " + wheels + name + ".dist-info/RECORD " + strings.Join(files, ",,\\n") + ",,\\n",
		}
	}
	dpkg := func(name, arch string, files ...string) []string {
		return []string{
			"says var/lib/dpkg/status Package: " + name + "\\nStatus: install ok installed\\nArchitecture: " + arch +
				"\\nVersion: 1\\n",
			"says var/lib/dpkg/info/" + name + ".list /.\\n/" + strings.Join(files, "\\n/") + "\\n",
		}
	}
	all := func(lines []string, more ...string) []string { return append(lines, more...) }
	for _, c := range []struct {
		name  string
		lines []string
		want  inspect.State
		text  string // in the findings; "!…" must not be
	}{
		{
			"installed for one platform",
			[]string{esbuild, esbuildX64, "elf " + node + "@esbuild/linux-x64/bin/esbuild amd64"},
			wrong,
			"esbuild (npm) is installed for linux/x64 only: /srv/node_modules/@esbuild/linux-x64/bin/esbuild",
		},
		{
			"installed for this one too",
			[]string{
				esbuild, esbuildX64, "elf " + node + "@esbuild/linux-x64/bin/esbuild amd64",
				"elf " + node + "@esbuild/linux-arm64/bin/esbuild arm64",
			},
			right, "other platforms",
		},
		{
			"installed for this one too, of the wrong machine",
			[]string{
				esbuild, esbuildX64, "elf " + node + "@esbuild/linux-x64/bin/esbuild amd64",
				"elf " + node + "@esbuild/linux-arm64/bin/esbuild amd64",
			},
			wrong, "linux-arm64",
		},
		{
			"unknown names",
			[]string{
				turbo, "elf " + node + "turbo-linux-64/bin/turbo amd64",
				"elf " + node + "turbo-linux-arm64/bin/turbo arm64",
			},
			right, "other platforms",
		},
		{
			"unknown names, only for another platform",
			[]string{turbo, "elf " + node + "turbo-linux-64/bin/turbo amd64"},
			wrong,
			"turbo (npm) is installed for linux/amd64 only",
		},
		{
			"names of another application",
			[]string{
				turbo, "elf " + node + "turbo-linux-64/bin/turbo amd64",
				"elf opt/b/node_modules/turbo-linux-arm64/bin/turbo arm64",
			},
			wrong, "turbo (npm) is installed",
		},
		{
			"two kinds of parts",
			[]string{
				sharp, "so " + node + "@img/sharp-linux-x64/sharp.node amd64",
				"so " + node + "@img/sharp-libvips-linux-x64/v.so amd64",
				"so " + node + "@img/sharp-libvips-linux-arm64/v.so arm64",
			},
			wrong,
			"sharp (npm) is installed for linux/amd64 only: /srv/node_modules/@img/sharp-linux-x64/sharp.node",
		},
		{"through pnpm's links", []string{
			`says srv/node_modules/.pnpm/turbo@2/node_modules/turbo/package.json {"name":"turbo","optionalDependencies":{"turbo-linux-64":"1","turbo-linux-arm64":"1"}}`,
			"link srv/node_modules/.pnpm/turbo@2/node_modules/turbo-linux-64 ../../a@2/node_modules/turbo-linux-64",
			"link srv/node_modules/.pnpm/turbo@2/node_modules/turbo-linux-arm64 ../../b@2/node_modules/turbo-linux-arm64",
			"elf srv/node_modules/.pnpm/a@2/node_modules/turbo-linux-64/bin/turbo amd64",
			"elf srv/node_modules/.pnpm/b@2/node_modules/turbo-linux-arm64/bin/turbo arm64",
		}, right, "other platforms"},
		{
			"from a Mac",
			[]string{
				esbuild[:len(esbuild)-2] + `,"@esbuild/darwin-arm64":"1"}}`,
				"macho " + node + "@esbuild/darwin-arm64/bin/esbuild",
			},
			wrong, "esbuild (npm) is installed for darwin/arm64 only",
		},
		{
			"from a Mac, and for this platform",
			[]string{
				esbuild[:len(esbuild)-2] + `,"@esbuild/darwin-arm64":"1"}}`,
				"macho " + node + "@esbuild/darwin-arm64/bin/esbuild", "elf " + node + "@esbuild/linux-arm64/bin/esbuild arm64",
			},
			right, "",
		},
		{
			"for macOS only, as its manifest says",
			[]string{
				`says ` + node + `fsevents/package.json {"name":"fsevents","os":["darwin"]}`,
				`says ` + node + `chokidar/package.json {"name":"chokidar","optionalDependencies":{"fsevents":"2"}}`,
				"macho " + node + "fsevents/fsevents.node",
			},
			right, "",
		},
		{
			"for macOS, though its manifest says Linux too",
			[]string{`says ` + node + `x/package.json {"name":"x","os":["darwin","linux"]}`, "macho " + node + "x/x.node"},
			wrong, "x (npm) is installed for darwin/arm64 only",
		},
		{
			"outside node_modules",
			[]string{
				`says opt/tool/package.json {"name":"tool","cpu":["x64"],"os":["linux"]}`,
				"so opt/tool/build/tool.node amd64",
			},
			wrong, "tool (npm) is installed for linux/x64 only",
		},
		{
			"a manifest that names the wrong machine",
			[]string{
				`says ` + node + `a/package.json {"name":"a","cpu":["arm64"],"os":["linux"]}`,
				"so " + node + "a/a.node amd64",
			},
			wrong, "a (npm) is installed for linux/amd64 only",
		},
		{
			"a lying manifest of right files",
			[]string{
				`says ` + node + `a/package.json {"name":"a","cpu":["x64"],"os":["linux"]}`,
				"so " + node + "a/a.node arm64",
			},
			right, "",
		},
		{
			"an addon with a neutral name",
			[]string{"so " + node + "bcrypt/build/Release/bcrypt.node amd64"},
			wrong,
			"bcrypt (npm) is installed for linux/amd64 only",
		},
		{"an addon without a machine", []string{"so " + node + "x/build/a.node none"}, wrong, "has no machine in its header"},
		{
			"one wrong addon among right ones",
			[]string{"so " + node + "x/build/a.node amd64", "so " + node + "x/build/b.node arm64"},
			wrong,
			"a.node is an amd64 library",
		},
		{
			"a helper of the other machine only",
			[]string{
				"so " + node + "onnx/bin/linux/x64/b.node amd64", "so " + node + "onnx/bin/linux/x64/libshared.so amd64",
				"so " + node + "onnx/bin/linux/arm64/b.node arm64",
			},
			right, "other platforms",
		},
		{
			"a helper of the other machine, and nothing for this one",
			[]string{
				"so " + node + "onnx/bin/linux/x64/b.node amd64", "so " + node + "onnx/bin/linux/x64/libshared.so amd64",
				"so " + node + "onnx/bin/linux/arm64/b.node amd64",
			},
			wrong, "onnx",
		},

		{
			"Go plugins of two packages",
			[]string{"plugin opt/p/a.so amd64 x.org/a", "plugin opt/p/b.so arm64 x.org/b"},
			wrong, "/opt/p/a.so is an amd64 Go plugin",
		},
		{
			"Go plugins of one package",
			[]string{"plugin opt/p/a.so amd64 x.org/a", "plugin opt/p/b.so arm64 x.org/a"},
			right, "other platforms",
		},
		{
			"Go plugins of one package in two directories",
			[]string{"plugin opt/p/a.so amd64 x.org/a", "plugin srv/a.so arm64 x.org/a"},
			wrong,
			"/opt/p/a.so is an amd64 Go plugin",
		},
		{
			"Go plugins in directories named by platform",
			[]string{"plugin opt/p/linux-amd64/a.so amd64 x.org/a", "plugin opt/p/linux-arm64/a.so arm64 x.org/a"},
			right,
			"other platforms",
		},
		{
			"Go plugins without import paths",
			[]string{"plugin opt/p/a.so amd64 command-line-arguments", "plugin opt/p/b.so arm64 command-line-arguments"},
			wrong,
			"/opt/p/a.so is an amd64 Go plugin",
		},

		{
			"node-pre-gyp",
			[]string{preGyp, "so " + node + "a/lib/binding/linux-x64/a.node amd64", "elf " + node + "a/bin/helper arm64"},
			wrong,
			"a (npm) is installed for linux/amd64 only: /srv/node_modules/a/lib/binding/linux-x64/a.node",
		},
		{
			"node-pre-gyp, for both",
			[]string{
				preGyp, "so " + node + "a/lib/binding/linux-x64/a.node amd64",
				"so " + node + "a/lib/binding/linux-arm64/a.node arm64",
			},
			right, "other platforms",
		},
		{
			"node-pre-gyp, another file for this one",
			[]string{
				preGyp, "so " + node + "a/lib/binding/linux-x64/a.node amd64",
				"so " + node + "a/lib/binding/linux-arm64/b.node arm64",
			},
			wrong, "a (npm) is installed for linux/amd64 only",
		},
		{
			"a member \"binary\" without a module path",
			[]string{
				strings.Replace(preGyp, "module_path", "path", 1), "so " + node + "a/lib/binding/linux-x64/a.node amd64",
				"elf " + node + "a/bin/helper arm64",
			},
			right, "other platforms",
		},

		{
			"prebuilds",
			[]string{"so " + node + "a/prebuilds/linux-x64/a.node amd64", "so " + node + "a/prebuilds/linux-arm64/b.node arm64"},
			right, "other platforms",
		},
		{
			"prebuilds, and a helper for this platform",
			[]string{"so " + node + "a/prebuilds/linux-x64/a.node amd64", "elf " + node + "a/bin/helper arm64"},
			wrong,
			"a (npm) is installed for linux/amd64 only: /srv/node_modules/a/prebuilds/linux-x64/a.node",
		},
		{
			"prebuilds, and one compiled here",
			[]string{"so " + node + "a/prebuilds/linux-x64/a.node amd64", "so " + node + "a/build/Release/a.node arm64"},
			right,
			"other platforms",
		},
		{
			"prebuilds for several machines at once",
			[]string{
				"so " + node + "a/prebuilds/linux-x64+arm64/a.node amd64",
				"so " + node + "a/prebuilds/linux-s390x/a.node s390x",
			},
			wrong,
			"/srv/node_modules/a/prebuilds/linux-x64+arm64/a.node is an amd64 library",
		},
		{
			"prebuilds by libc",
			[]string{
				"so " + node + "a/prebuilds/linuxglibc-x64/a.node amd64",
				"so " + node + "a/prebuilds/linuxglibc-arm64/a.node arm64",
			},
			right, "other platforms",
		},
		{
			"prebuilds by another libc",
			[]string{
				glibc, "so " + node + "a/prebuilds/linuxglibc-x64/a.node amd64",
				"so " + node + "a/prebuilds/linuxmusl-arm64/a.node arm64",
			},
			wrong, "a (npm) is installed for",
		},
		{
			"prebuilds for ARM by its version",
			[]string{
				"so " + node + "a/prebuilds/linux-arm/a.armv7.node armv7",
				"so " + node + "a/prebuilds/linux-arm64/a.armv8.node arm64",
			},
			right, "",
		},
		{
			"prebuilds for musl",
			[]string{glibc, "so " + node + "a/prebuilds/linux-arm64/a.musl.node arm64"},
			wrong,
			"a (npm) is installed for musl only, and the image has glibc: /srv/node_modules/a/prebuilds/linux-arm64/a.musl.node",
		},
		{
			"prebuilds for musl and glibc",
			[]string{
				glibc, "so " + node + "a/prebuilds/linux-arm64/a.musl.node arm64",
				"so " + node + "a/prebuilds/linux-arm64/a.glibc.node arm64",
			},
			right, "",
		},
		{
			"prebuilds for musl, and one compiled here",
			[]string{
				glibc, "so " + node + "a/prebuilds/linux-arm64/a.musl.node arm64",
				"so " + node + "a/build/Release/a.node arm64",
			},
			right, "",
		},
		{
			"prebuilds for musl with musl",
			[]string{musl, "so " + node + "a/prebuilds/linux-arm64/a.musl.node arm64"},
			right, "",
		},
		{
			"prebuilds for musl with either",
			[]string{musl, glibc, "so " + node + "a/prebuilds/linux-arm64/a.musl.node arm64"},
			right, "",
		},
		{"prebuilds for musl without any", []string{"so " + node + "a/prebuilds/linux-arm64/a.musl.node arm64"}, right, ""},

		{
			"a package for musl",
			[]string{glibc, forMusl, "needs " + node + "@x/a-linux-arm64-musl/a.node arm64 libc.so /lib"},
			wrong, "@x/a-linux-arm64-musl (npm) is installed for musl only, and the image has glibc: /srv/node_modules/@x/a-linux-arm64-musl/a.node",
		},
		{
			"a package for musl that needs no libc",
			[]string{glibc, forMusl, "so " + node + "@x/a-linux-arm64-musl/a.node arm64"},
			right, "",
		},
		{
			"a package for musl, part of a family",
			[]string{glibc, forMusl, family, "needs " + node + "@x/a-linux-arm64-musl/a.node arm64 libc.so /lib"},
			wrong,
			"a (npm) is installed for musl only",
		},
		{
			"a package for musl, and its twin",
			[]string{
				glibc, forMusl, family, "needs " + node + "@x/a-linux-arm64-musl/a.node arm64 libc.so /lib",
				"needs " + node + "@x/a-linux-arm64-gnu/a.node arm64 libc.so.6 /lib",
			},
			right, "",
		},
		{
			"a package for all but glibc",
			[]string{
				glibc, strings.Replace(forMusl, `"musl"]`, `"!glibc"]`, 1),
				"needs " + node + "@x/a-linux-arm64-musl/a.node arm64 libc.so /lib",
			},
			wrong,
			"a-linux-arm64-musl (npm) is installed for any libc but glibc",
		},
		{
			"a package for musl with musl",
			[]string{musl, forMusl, "needs " + node + "@x/a-linux-arm64-musl/a.node arm64 libc.so /lib"},
			right, "",
		},
		{
			"a wheel for musl",
			all(record("n-1", "cp311-cp311-musllinux_1_2_aarch64", "n/b.so"), glibc,
				"needs "+wheels+"n/b.so arm64 libc.so /lib"), wrong, "n 1 (Python) is installed for musl only",
		},
		{
			"a wheel for musl with musl",
			all(record("n-1", "cp311-cp311-musllinux_1_2_aarch64", "n/b.so"), musl, "needs "+wheels+"n/b.so arm64 libc.so /lib"),
			right, "",
		},

		{
			"a wheel", all(record("Pillow-10.0", "cp311-cp311-manylinux_2_28_x86_64", "PIL/_imaging.abi3.so"),
				"so "+wheels+"PIL/_imaging.abi3.so amd64"), wrong,
			"Pillow 10.0 (Python) is installed for linux/amd64 only: /usr/lib/python3.11/site-packages/PIL/_imaging.abi3.so",
		},
		{
			"a wheel of this machine, whatever its tags",
			all(record("Pillow-10.0", "cp311-cp311-manylinux_2_28_x86_64", "PIL/_imaging.abi3.so"),
				"so "+wheels+"PIL/_imaging.abi3.so arm64"), right, "",
		},
		{
			"one library of a wheel",
			all(record("n-1", "cp311-cp311-linux_aarch64", "n/a.cpython-311-x86_64-linux-gnu.so", "n/b.so"),
				"so "+wheels+"n/a.cpython-311-x86_64-linux-gnu.so amd64", "so "+wheels+"n/b.so arm64"), wrong,
			"n/a.cpython-311-x86_64-linux-gnu.so is an amd64 library",
		},
		{
			"a wheel for any machine, with names",
			all(record("debugpy-1", "py3-none-any", "debugpy/attach_linux_amd64.so"),
				"so "+wheels+"debugpy/attach_linux_amd64.so amd64"), right, "warning: linux/arm64: ",
		},
		{
			"a wheel for any machine, without",
			all(record("pyads-1", "py3-none-any", "pyads/adslib.so"), "so "+wheels+"pyads/adslib.so amd64"), wrong,
			"pyads 1 (Python)",
		},
		{
			"a record with files outside the package",
			all(record("x-1", "py3-none-any", "../../../../opt/linux-x64/tool", "/opt/linux-x64/tool"),
				"elf opt/linux-x64/tool amd64"), right, "!x 1",
		},

		{
			"a gem",
			[]string{
				"says " + gems +
					"specifications/nokogiri-1.15.4-x86_64-linux.gemspec   s.name = \"nokogiri\".freeze\\n  s.version = \"1.15.4\"\\n",
				"so " + gems + "gems/nokogiri-1.15.4-x86_64-linux/lib/nokogiri.so amd64",
			},
			wrong,
			"nokogiri 1.15.4 (gem) is installed for linux/amd64 only",
		},
		{
			"a gem for both",
			[]string{
				"so " + gems + "gems/nokogiri-1.15.4-x86_64-linux/lib/nokogiri.so amd64",
				"so " + gems + "gems/nokogiri-1.15.4-aarch64-linux/lib/nokogiri.so arm64",
			},
			right, "other platforms",
		},
		{
			"a gem that was compiled elsewhere",
			[]string{"so " + gems + "extensions/x86_64-linux/3.1.0/bcrypt-3.1/bcrypt_ext.so amd64"},
			wrong,
			"bcrypt-3.1 (gem) is installed for linux/amd64 only",
		},
		{
			"a gem that was compiled here",
			[]string{"so " + gems + "extensions/aarch64-linux/3.1.0/bcrypt-3.1/bcrypt_ext.so arm64"},
			right, "",
		},

		{
			"NuGet",
			[]string{
				"says root/.nuget/packages/skia/2.88/skia.nuspec <package><metadata><id>SkiaSharp</id><version>2.88</version>",
				"so root/.nuget/packages/skia/2.88/runtimes/linux-x64/native/libSkia.so amd64",
			},
			wrong,
			"SkiaSharp 2.88 (NuGet) is installed for linux/amd64 only",
		},
		{
			"NuGet for both",
			[]string{
				"so app2/runtimes/linux-x64/native/libSkia.so amd64",
				"so app2/runtimes/linux-arm64/native/libSkia.so arm64",
			},
			right, "other platforms",
		},
		{
			"two NuGet packages in one directory",
			[]string{
				"so app2/runtimes/linux-x64/native/libSkia.so amd64",
				"so app2/runtimes/linux-arm64/native/libOther.so arm64", "elf app2/program arm64",
			},
			wrong,
			"app2 (NuGet) is installed for linux/amd64 only",
		},

		{
			"a JDK with a release file",
			[]string{
				`says opt/java/release JAVA_VERSION="17.0.9"\nOS_ARCH="x86_64"\n`, "elf opt/java/bin/java amd64",
				"so opt/java/lib/server/libjvm.so amd64",
			},
			wrong,
			"Java 17.0.9 (JDK) is installed for linux/amd64 only: /opt/java/",
		},
		{
			"a JDK with another machine's release file",
			[]string{`says opt/java/release JAVA_VERSION="17.0.9"\nOS_ARCH="x86_64"\n`, "elf opt/java/bin/java arm64"},
			right, "",
		},
		{
			"a Terraform provider",
			[]string{"elf m/registry.terraform.io/hashicorp/aws/5.0.0/linux_amd64/terraform-provider-aws_v5 amd64"},
			wrong,
			"hashicorp/aws 5.0.0 (Terraform) is installed for linux/amd64 only",
		},
		{
			"a Terraform mirror",
			[]string{
				"elf m/registry.terraform.io/hashicorp/aws/5.0.0/linux_amd64/terraform-provider-aws_v5_x5 amd64",
				"elf m/registry.terraform.io/hashicorp/aws/5.0.0/linux_arm64/terraform-provider-aws_v5 arm64",
			},
			right,
			"other platforms",
		},
		{
			"a Nix store path",
			[]string{"elf nix/store/abc-hello-2.12/bin/hello amd64"},
			wrong,
			"hello-2.12 (Nix) is installed for linux/amd64 only",
		},
		{
			"a Nix cross compiler",
			[]string{"so nix/store/abc-glibc-x86_64-unknown-linux-gnu-2.38/lib/libm.so.6 amd64"},
			right, "warning",
		},
		{
			"Bazel",
			[]string{"elf app.runfiles/nodejs_linux_amd64/bin/node amd64", "elf app.runfiles/main/tool arm64"},
			wrong,
			"app (Bazel) is installed for linux/amd64 only",
		},

		{
			"dpkg, of another architecture", all(dpkg("tool", "amd64", "usr/lib/tool/helper"), "elf usr/lib/tool/helper amd64"),
			wrong, "tool (dpkg) is installed for linux/amd64 only",
		},
		{
			"dpkg, below a link", all(dpkg("tool", "amd64", "lib/tool/helper"), "elf usr/lib/tool/helper amd64"), wrong,
			"tool (dpkg) is installed for linux/amd64 only",
		},
		{
			"dpkg, for all", all(dpkg("boot", "all", "usr/share/boot/stage1"), "elf usr/share/boot/stage1 amd64"), right,
			"package data: /usr/share/boot/stage",
		},
		{
			"dpkg, for all, elsewhere", all(dpkg("boot", "all", "usr/lib/boot/stage1"), "elf usr/lib/boot/stage1 amd64"), wrong,
			"boot (dpkg)",
		},
		{
			"dpkg, overwritten",
			append(all(dpkg("boot", "all", "usr/share/boot/stage1"), "--"), "elf usr/share/boot/stage1 amd64"), wrong,
			"/usr/share/boot/stage1 is an amd64 program",
		},
		{
			"distroless",
			[]string{
				"says var/lib/dpkg/status.d/boot Package: boot\nArchitecture: all\nVersion: 1\n",
				"says var/lib/dpkg/status.d/boot.md5sums 0123456789abcdef0123456789abcdef  usr/share/boot/stage 1\n0123  usr/share/boot/stage2\n", "elf usr/share/boot/stage2 amd64",
			},
			right, "package data: /usr/share/boot/stage",
		},
		{"apk", []string{
			"says lib/apk/db/installed P:tool\\nV:1\\nA:x86_64\\nF:usr/lib/tool\\nR:helper\\n\\n",
			"elf usr/lib/tool/helper amd64",
		}, wrong, "tool (apk) is installed for linux/amd64 only"},
		{
			"apk, for all",
			[]string{
				"says lib/apk/db/installed P:boot\\nV:1\\nA:noarch\\nF:usr/share/boot\\nR:stage1\\n\\n",
				"elf usr/share/boot/stage1 amd64",
			},
			right, "package data: /usr/share/boot/stage",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r := run(t, image(t, "linux/arm64", append(c.lines, "--", "elf app arm64")...), deep.Options{})
			r.Findings = deep.Summary(r.Findings)
			text, not := strings.CutPrefix(c.text, "!")
			if r.Verdicts[0].State != c.want || strings.Contains(show(r), text) == not {
				t.Errorf("want %s with %q:\n%s", c.want, c.text, show(r))
			}
		})
	}
}

// Many packages, or packages that refer to each other, are processed to the end.
func TestPackagesEnd(t *testing.T) {
	t.Parallel()
	var lines []string
	for n := range 2000 {
		var options []string
		for m := range 200 {
			options = append(options, fmt.Sprintf(`"p%d":"1"`, (n+m)%2000))
		}
		lines = append(lines,
			fmt.Sprintf(`says srv/node_modules/p%d/package.json {"name":"p%d","optionalDependencies":{%s}}`, n, n,
				strings.Join(options, ",")))
	}
	deepest := "srv/" + strings.Repeat("node_modules/a/", 100)
	lines = append(lines, "link srv/node_modules/loop loop", "so "+deepest+"a.node amd64",
		"so srv/node_modules/p7/x.node amd64", "elf app arm64")
	r := run(t, image(t, "linux/arm64", lines...), deep.Options{})
	if wrong := len(r.Findings); wrong != 2 {
		t.Errorf("%d findings:\n%.2000s", wrong, show(r))
	}
}

// An image of packages for another machine is reported in a few lines.
func TestSummaryOfPackages(t *testing.T) {
	t.Parallel()
	lines := []string{"elf app arm64"}
	for n := range 50 {
		lines = append(lines, fmt.Sprintf("so srv/node_modules/p%d/a.node amd64", n),
			fmt.Sprintf("so srv/node_modules/p%d/b.node amd64", n))
	}
	short := deep.Summary(run(t, image(t, "linux/arm64", lines...), deep.Options{}).Findings)
	if len(short) != 11 || !strings.Contains(short[10].Message, "and 40 packages more") ||
		!strings.Contains(short[0].Message, "and 1 more") {
		t.Errorf("%d findings:\n%s", len(short), show(deep.Result{Findings: short}))
	}
}
