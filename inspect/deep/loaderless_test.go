package deep_test

import (
	"strings"
	"testing"

	"mtool/inspect"
	"mtool/inspect/deep"
)

// A program in PATH for the right platform can't start if it was built for another C library. Each liar has a twin.
func TestLoaderless(t *testing.T) {
	t.Parallel()
	const (
		glibc, musl = "/lib64/ld-linux-x86-64.so.2", "/lib/ld-musl-x86_64.so.1"
		alpine      = "elf lib/ld-musl-x86_64.so.1 amd64"
		debian      = "elf lib64/ld-linux-x86-64.so.2 amd64"
		release     = "elf usr/local/bin/tool amd64 " + glibc
	)
	one := func(lines ...string) []string { return append(lines, "elf app amd64") }
	for name, c := range map[string]struct {
		lines []string
		env   []string
		want  inspect.State
		text  string // in the findings
	}{
		"a release for glibc in Alpine": {
			one(alpine, release), nil, inspect.Mismatch,
			"linux/amd64: /usr/local/bin/tool can't start (layer 1, sha256:",
		},
		"the reason": {
			one(alpine, release), nil, inspect.Mismatch,
			"its loader " + glibc +
				" is not in the image; it is built for glibc, and the image has musl (/lib/ld-musl-x86_64.so.1)",
		},
		"with gcompat": {one(alpine, release, "link lib64/ld-linux-x86-64.so.2 /lib/libgcompat.so.0",
			"elf lib/libgcompat.so.0 amd64"), nil, inspect.BinariesOK, ""},
		"with a link to musl": {one(alpine, release, "link lib64 lib",
			"link lib/ld-linux-x86-64.so.2 ld-musl-x86_64.so.1"), nil, inspect.BinariesOK, ""},
		"a link that leads nowhere": {
			one(alpine, release, "link lib64/ld-linux-x86-64.so.2 /opt/none"), nil,
			inspect.Mismatch, "its loader " + glibc,
		},
		"through a link in PATH": {
			one(alpine, "elf opt/t/tool amd64 "+glibc, "link usr/bin/tool /opt/t/tool"), nil,
			inspect.Mismatch, "/opt/t/tool can't start",
		},
		"not in PATH": {one(alpine, "elf opt/t/tool amd64 "+glibc), nil, inspect.BinariesOK, ""},
		"in the image's PATH": {
			one(alpine, "elf opt/t/tool amd64 "+glibc),
			[]string{"PATH=/bin:/opt/t"},
			inspect.Mismatch, "/opt/t/tool can't start",
		},
		"musl in Debian": {
			one(debian, "elf usr/bin/tool amd64 "+musl), nil, inspect.Mismatch,
			"it is built for musl, and the image has glibc",
		},
		"with Debian's musl": {one(debian, alpine, "elf usr/bin/tool amd64 "+musl), nil, inspect.BinariesOK, ""},
		"no loader at all": {
			one(release), nil, inspect.BinariesOK,
			"warning: linux/amd64: /usr/local/bin/tool can't start",
		},
		"i386 without its loader": {
			one(debian, "elf usr/bin/tool 386 /lib/ld-linux.so.2"), nil, inspect.BinariesOK,
			"warning: linux/amd64: /usr/bin/tool can't start",
		},
		"a loader of its own": {
			one(debian, "elf usr/bin/tool amd64 /opt/ld", "elf opt/ld amd64"), nil,
			inspect.BinariesOK, "",
		},
		"a Nix program": {one("elf bin/tool amd64 /nix/store/abc-glibc-2.40/lib/ld-linux-x86-64.so.2",
			"elf nix/store/abc-glibc-2.40/lib/ld-linux-x86-64.so.2 amd64"), nil, inspect.BinariesOK, ""},
		"a program that is started": {
			one(alpine, "script app2 /bin/sh", "elf bin/sh amd64 "+musl), nil,
			inspect.BinariesOK, "",
		},
		// without a loader
		"a library of musl alone": {
			one(debian, "needs usr/bin/tool amd64 libc.musl-x86_64.so.1 $ORIGIN"), nil,
			inspect.BinariesOK, "",
		},
	} {
		s := image(t, "linux/amd64", c.lines...)
		s.Env = c.env
		r := run(t, s, deep.Options{})
		if r.Verdicts[0].State != c.want || !strings.Contains(show(r), c.text) ||
			c.text == "" && strings.Contains(show(r), "can't start") {
			t.Errorf("%s: want %s %q\n%s", name, c.want, c.text, show(r))
		}
	}
	s := image(t, "linux/amd64", one(release)...)
	if r := run(t, s, deep.Options{Strict: true}); r.Verdicts[0].State != inspect.Mismatch {
		t.Errorf("strict: a program without a loader passes\n%s", show(r))
	}
}

// The loader finds libraries through its configuration files, and in directories for some processors only.
func TestLoaderDirectories(t *testing.T) {
	t.Parallel()
	const needs, library = "needs usr/bin/x arm64 libx.so /none", "so opt/linux-x64/libx.so amd64"
	one := func(lines ...string) []string { return lines }
	for name, c := range map[string]struct {
		platform string
		lines    []string
		options  deep.Options
		want     inspect.State
	}{
		"musl's file": {
			"linux/arm64",
			one("elf app arm64", needs, library, "says etc/ld-musl-aarch64.path /opt/linux-x64"),
			deep.Options{},
			inspect.Mismatch,
		},
		"musl's file of another machine": {
			"linux/arm64",
			one("elf app arm64", needs, library, "says etc/ld-musl-x86_64.path /opt/linux-x64"),
			deep.Options{},
			inspect.BinariesOK,
		},
		"an include": {
			"linux/arm64",
			one("elf app arm64", needs, library, "says etc/ld.so.conf include /etc/ld.so.conf.d/*.conf",
				"says etc/ld.so.conf.d/x.conf /opt/linux-x64"),
			deep.Options{},
			inspect.Mismatch,
		},
		"blanks and comments": {
			"linux/arm64",
			one("elf app arm64", needs, library, "says etc/ld.so.conf include\tld.so.conf.d/*.none  ld.so.conf.d/*.conf # all",
				"says etc/ld.so.conf.d/x.conf /lib:/opt/linux-x64 # ours"),
			deep.Options{},
			inspect.Mismatch,
		},
		"a comment": {
			"linux/arm64",
			one("elf app arm64", needs, library, "says etc/ld.so.conf # /opt/linux-x64"),
			deep.Options{},
			inspect.BinariesOK,
		},
		"not included": {
			"linux/arm64",
			one("elf app arm64", needs, library, "says etc/ld.so.conf include /etc/ld.so.conf.d/*.conf",
				"says etc/ld.so.conf.d/x.txt /opt/linux-x64"),
			deep.Options{},
			inspect.BinariesOK,
		},
		"v3 below glibc-hwcaps": {
			"linux/amd64",
			one("elf app amd64", "so usr/lib/glibc-hwcaps/x86-64-v3/libm.so.6 amd64v3"),
			deep.Options{Strict: true},
			inspect.BinariesOK,
		},
		"v3 in haswell": {
			"linux/amd64",
			one("elf app amd64", "so usr/lib/x86_64-linux-gnu/tls/haswell/libm.so.6 amd64v3"),
			deep.Options{Strict: true},
			inspect.BinariesOK,
		},
		"v3 elsewhere": {
			"linux/amd64", one("elf app amd64", "so opt/haswell/libm.so.6 amd64v3"),
			deep.Options{Strict: true},
			inspect.Mismatch,
		},
		"v7 in neon/vfp": {
			"linux/arm/v6",
			one("elf app armv6", "so usr/lib/arm-linux-gnueabihf/neon/vfp/libx264.so.1 armv7"),
			deep.Options{},
			inspect.BinariesOK,
		},
		"v7 in another directory called neon": {
			"linux/arm/v6", one("elf app armv6", "so opt/neon/libx264.so.1 armv7"),
			deep.Options{},
			inspect.Mismatch,
		},
		"another machine in neon": {
			"linux/arm/v6",
			one("elf app armv6", "so usr/lib/arm-linux-gnueabihf/neon/vfp/libx264.so.1 arm64"),
			deep.Options{},
			inspect.Mismatch,
		},
		"a link to the other world": {
			"linux/loong64",
			one("elf app loong64 /lib64/ld-linux-loongarch-lp64d.so.1", "link lib64/ld-linux-loongarch-lp64d.so.1 ld.so.1",
				"elf lib64/ld.so.1 loong64-old"),
			deep.Options{},
			inspect.Mismatch,
		},
		"a link within one world": {
			"linux/loong64",
			one("elf app loong64 /lib64/ld-linux-loongarch-lp64d.so.1", "link lib64/ld-linux-loongarch-lp64d.so.1 ld-2.40.so",
				"elf lib64/ld-2.40.so loong64"),
			deep.Options{},
			inspect.BinariesOK,
		},
		"a link to the other float ABI": {
			"linux/arm/v7",
			one("elf app armhf /lib/ld-linux-armhf.so.3", "link lib/ld-linux-armhf.so.3 ld-linux.so.3",
				"elf lib/ld-linux.so.3 armel"),
			deep.Options{},
			inspect.Mismatch,
		},
		"the other float ABI by $ORIGIN": {
			"linux/arm/v7",
			one("elf app armhf", "needs opt/x/bin/x armhf libx.so $ORIGIN/../lib", "so opt/x/lib/libx.so armel"),
			deep.Options{},
			inspect.Mismatch,
		},
		"the same float ABI by $ORIGIN": {
			"linux/arm/v7",
			one("elf app armhf", "needs opt/x/bin/x armhf libx.so $ORIGIN/../lib", "so opt/x/lib/libx.so armhf"),
			deep.Options{},
			inspect.BinariesOK,
		},
		"an interpreter of a newer version": {
			"linux/arm/v6",
			one("script app /usr/bin/env python3", "elf usr/bin/env armv6", "elf usr/bin/python3 armv7"),
			deep.Options{},
			inspect.Mismatch,
		},
		"sw64's loader": {
			"linux/sw64",
			one("elf app sw64 /lib/ld-linux-sw-64.so.2", "elf lib/ld-linux-sw-64.so.2 sw64",
				"link lib/ld-linux.so.2 ld-linux-sw-64.so.2"),
			deep.Options{},
			inspect.BinariesOK,
		},
		"sw64's older loader": {
			"linux/sw64", one("elf app sw64 /lib/ld-linux.so.2", "elf lib/ld-linux.so.2 sw64"),
			deep.Options{},
			inspect.BinariesOK,
		},
		"386's loader in its place": {
			"linux/sw64", one("elf app sw64", "elf lib/ld-linux.so.2 386"),
			deep.Options{},
			inspect.Mismatch,
		},
	} {
		r := run(t, image(t, c.platform, c.lines...), c.options)
		if r.Verdicts[0].State != c.want {
			t.Errorf("%s: want %s\n%s", name, c.want, show(r))
		}
	}
}
