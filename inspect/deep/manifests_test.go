package deep

import (
	"strings"
	"testing"
)

// TestManifests checks which parts of package manifests are kept, including odd ones.
func TestManifests(t *testing.T) {
	t.Parallel()
	const record = "numpy/core/x.so,sha256=abc,12\n\"numpy/a,b.so\",,\nnumpy/x.py,,\n../../../bin/f2py,,\n/etc/x.so,,\nnumpy/../../x.so,,\nshort\n"
	for _, c := range []struct{ path, body, want string }{
		{
			"srv/node_modules/a/package.json", `{"name":"a","version":"1","os":["linux","darwin"],"cpu":"x64"}`,
			"of npm|name a|version 1|for linux/x64|for darwin/x64",
		},
		{
			"srv/node_modules/a/package.json",
			`{"name":"esbuild","optionalDependencies":{"@esbuild/linux-x64":"1","@esbuild/aix-ppc64":1}}`,
			"of npm|name esbuild|option @esbuild/aix-ppc64|option @esbuild/linux-x64",
		},
		{"srv/node_modules/a/package.json", `{"name":"a","version":"1"}`, ""},
		{
			"srv/node_modules/a/package.json",
			`{"name":"a","libc":["musl"],"binary":{"module_name":"m","module_path":"./lib/{node_abi}-{platform}/{arch}"}}`,
			"of npm|name a|libc musl|binary lib/*-*/*/m.node",
		},
		{
			"srv/node_modules/a/package.json", `{"name":"a","binary":{"module_name":"m","module_path":"../../{arch}"}}`,
			"of npm|name a",
		},
		{
			"srv/node_modules/a/package.json", `{"name":"a","binary":{"module_name":"[","module_path":"lib/*"}}`,
			"of npm|name a",
		},
		{
			"srv/node_modules/a/package.json", `{"name":"a","binary":{"module_name":"m","module_path":"lib/}{{{}{"}}`,
			"of npm|name a|binary lib/}*{/m.node",
		},
		{"srv/node_modules/a/package.json", `{"name":"a","binary":7,"libc":{"musl":1}}`, "of npm|name a"},
		{"srv/node_modules/a/package.json", `{"name":["a"],"os":{"linux":1},"cpu":7}`, "of npm|name a"},
		{"srv/node_modules/a/package.json", `{"name":"a\nname b","os":["li\nnux"]}`, "of npm"},
		{"srv/node_modules/a/package.json", `{"cpu": "x64"`, ""},
		{"srv/node_modules/a/package.json", `{"cpu":` + strings.Repeat("[", 20_000), ""},
		{"srv/node_modules/a/package.json", `{"cpu":"x64","x":"` + strings.Repeat("x", maxManifest) + `"}`, ""},
		{
			"x/site-packages/a-1.dist-info/WHEEL", "Wheel-Version: 1.0\nTag: py2-none-any\nTag: py3-none-any\n",
			"of Python|any any",
		},
		{"x/site-packages/a-1.dist-info/WHEEL", "Tag: cp311-cp311-manylinux_2_17_x86_64\nTag: py3-none-any\n", "of Python"},
		{"x/site-packages/a-1.dist-info/WHEEL", "Tag: cp311-cp311-musllinux_1_2_x86_64\n", "of Python|libc musl"},
		{
			"x/site-packages/a-1.dist-info/WHEEL",
			"Tag: cp311-cp311-manylinux_2_17_x86_64\nTag: cp311-cp311-manylinux2014_x86_64\n", "of Python|libc glibc",
		},
		{"x/site-packages/a-1.dist-info/RECORD", record, "of Python|file numpy/core/x.so|file numpy/a,b.so"},
		{
			"g/specifications/nokogiri-1.15.4-x86_64-linux.gemspec",
			"# -*- encoding: utf-8 -*-\nGem::Specification.new do |s|\n  s.name = \"nokogiri\".freeze\n  s.version = \"1.15.4\"\n  s.platform = \"x86_64-linux\".freeze\n  s.files = [\"x\"]\n", "of gem|name nokogiri|version 1.15.4|for x86_64-linux",
		},
		{
			"x/a.nuspec", "\xef\xbb\xbf<package><metadata><id>SkiaSharp</id><version>2.88</version>",
			"of NuGet|name SkiaSharp|version 2.88",
		},
		{
			"opt/jdk/release", "IMPLEMENTOR=\"X\"\nJAVA_VERSION=\"17.0.9\"\nOS_ARCH=\"x86_64\"\n",
			"of JDK|name Java|version 17.0.9|for x86_64",
		},
		{"opt/other/release", "11.2\n", ""},
	} {
		read := manifest(c.path)
		if read == nil {
			t.Fatalf("%s is not taken for a manifest", c.path)
		}
		if got := strings.ReplaceAll(strings.TrimSpace(read(strings.NewReader(c.body))), "\n", "|"); got != c.want {
			t.Errorf("%s: %.200q\ngot  %q\nwant %q", c.path, c.body, got, c.want)
		}
	}
	var many strings.Builder
	many.WriteString(`{"cpu":["x64"],"optionalDependencies":{"a":"1"`)
	for n := range 10_000 {
		many.WriteString(`,"` + strings.Repeat("x", n%9) + string(rune('a'+n%26)) + `":"1"`)
	}
	many.WriteString("}}")
	if got := npmManifest(strings.NewReader(many.String())); len(got) > maxKept || !strings.Contains(got, "for x64") {
		t.Errorf("%d bytes are kept", len(got))
	}
	if got := wheelFiles(strings.NewReader(strings.Repeat("a/x.so,,\n", 100_000))); len(got) > maxKept+100 {
		t.Errorf("%d bytes are kept", len(got))
	}
	for _, name := range []string{"etc/os-release", "RECORD", "x/specification/a.gemspec", "x/package.json5"} {
		if manifest(name) != nil {
			t.Errorf("%s is taken for a manifest", name)
		}
	}
}
