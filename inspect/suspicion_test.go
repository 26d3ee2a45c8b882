package inspect_test

import (
	"strings"
	"testing"

	"mtool/inspect"
	"mtool/registry/registrytest"
)

// made returns an image with two layers and one line of history for each.
func made(name, base, app string, lines ...string) registrytest.ImageSpec {
	return registrytest.ImageSpec{
		Platform: plat(name), Files: [][]string{{"plain " + base}, {"plain " + app}}, Entrypoint: []string{"/app"},
		Origins: lines,
	}
}

// A base that names another architecture and not the image's own is a note, and fails under strict rules.
func TestForeignBases(t *testing.T) {
	t.Parallel()
	const name = "org.opencontainers.image.base.name"
	with := func(s registrytest.ImageSpec, change func(s *registrytest.ImageSpec)) registrytest.ImageSpec {
		change(&s)
		return s
	}
	named := func(platform, base string) registrytest.ImageSpec {
		return with(made(platform, "a", "b"),
			func(s *registrytest.ImageSpec) { s.Annotations = map[string]string{name: base} })
	}
	labelled := func(platform, arch string) registrytest.ImageSpec {
		return with(made(platform, "a", "b"),
			func(s *registrytest.ImageSpec) { s.Labels = map[string]string{"architecture": arch} })
	}
	for what, c := range map[string]struct {
		liar, twin registrytest.ImageSpec
		note       string
	}{
		"name": {
			named("linux/amd64", "docker.io/arm64v8/alpine:3.20"),
			named("linux/arm64", "docker.io/arm64v8/alpine:3.20"),
			`its base is called "docker.io/arm64v8/alpine:3.20", which names arm64`,
		},
		"a base for all architectures": {
			named("linux/arm64", "debian:bookworm-amd64"), named("linux/arm64", "debian:bookworm"),
			"which names amd64",
		},
		"label": {
			labelled("linux/s390x", "x86_64"), labelled("linux/amd64", "x86_64"),
			`its label says architecture "x86_64", which names amd64`,
		},
		"root file system": {
			made("linux/arm64", "a", "b", "ADD alpine-minirootfs-3.20.0-x86_64.tar.gz / # buildkit", "COPY app /app"),
			made("linux/arm64", "a", "b", "ADD alpine-minirootfs-3.20.0-aarch64.tar.gz / # buildkit", "COPY app /app"),
			"its lowest layer was made by",
		},
		"a case for each architecture": {
			made("linux/arm/v7", "a", "b", "RUN curl -o /x https://example.com/x86_64.tar.gz", "COPY app /app"),
			made("linux/arm/v7", "a", "b", "RUN case $(uname -m) in x86_64) a=amd64;; armv7l) a=armv7;; esac; curl $a",
				"COPY app /app"), "which names amd64",
		},
		"target": {
			made("linux/arm64", "a", "b", "RUN |1 TARGETARCH=amd64 /bin/sh -c make", "COPY app /app"),
			made("linux/arm64", "a", "b", "RUN |2 BUILDARCH=amd64 TARGETARCH=arm64 /bin/sh -c make", "COPY app /app"),
			"which names amd64",
		},
		"build platform": {
			made("linux/arm64", "a", "b", "RUN |1 ARCH=amd64 make", "COPY app /app"),
			made("linux/arm64", "a", "b", "RUN |1 BUILDPLATFORM=linux/amd64 make", "COPY app /app"), "which names amd64",
		},
		"a default instead of the target": {
			made("linux/arm64", "a", "b", "ADD rootfs /", "RUN |1 TARGETPLATFORM=linux/amd64 /bin/sh -c make"),
			made("linux/arm64", "a", "b", "ADD rootfs /", "RUN |1 TARGETPLATFORM=linux/arm64/v8 /bin/sh -c make"),
			`a step of its build says "TARGETPLATFORM=linux/amd64", which names amd64`,
		},
		"i386 runs in amd64": {named("linux/arm64", "i386/debian"), named("linux/amd64", "i386/debian"), "which names 386"},
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			check := func(s registrytest.ImageSpec, strict bool) []inspect.Finding {
				findings := inspect.Check(readBuilt(t, registrytest.Image(s)), inspect.CheckOptions{})
				if strict {
					inspect.Strictly(findings, inspect.Rules())
				}
				return findings
			}
			if f := check(c.liar, false); !has(f, inspect.Note, c.note) || inspect.Failed(f) != nil {
				t.Errorf("the wrong image:\n%s", show(f))
			}
			if f := check(c.liar, true); !has(f, inspect.Mismatch, c.note) {
				t.Errorf("the wrong image, strictly:\n%s", show(f))
			}
			if f := check(c.twin, true); inspect.Failed(f) != nil || strings.Contains(show(f), "names") {
				t.Errorf("the right image:\n%s", show(f))
			}
		})
	}
}

// Two architectures name one base image, and a third names another. If all name the same one, it is a list.
func TestSharedBaseDigests(t *testing.T) {
	t.Parallel()
	on := func(name, base string) registrytest.Entry {
		return entry(
			registrytest.Image(registrytest.ImageSpec{
				Platform:    plat(name),
				Annotations: map[string]string{"org.opencontainers.image.base.digest": base},
			}))
	}
	for what, c := range map[string]struct {
		entries []registrytest.Entry
		want    bool
	}{
		"two of three": {[]registrytest.Entry{
			on("linux/amd64", "sha256:a"), on("linux/arm64", "sha256:a"),
			on("linux/s390x", "sha256:b"),
		}, true},
		"all":       {[]registrytest.Entry{on("linux/amd64", "sha256:a"), on("linux/arm64", "sha256:a")}, false},
		"different": {[]registrytest.Entry{on("linux/amd64", "sha256:a"), on("linux/arm64", "sha256:b")}, false},
		"variants": {[]registrytest.Entry{
			on("linux/arm/v6", "sha256:a"), on("linux/arm/v7", "sha256:a"),
			on("linux/s390x", "sha256:b"),
		}, false},
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			findings := inspect.Check(readBuilt(t, list(c.entries...)), inspect.CheckOptions{})
			if has(findings, inspect.Note, "name one base image") != c.want || inspect.Failed(findings) != nil {
				t.Errorf("want the note: %v:\n%s", c.want, show(findings))
			}
		})
	}
}

// Two architectures share the layer of a program, each on its own base.
func TestSharedPrograms(t *testing.T) {
	t.Parallel()
	program := func(name, base, app, packing, line string) registrytest.Entry {
		s := made(name, base, app, "ADD rootfs /", line)
		s.Packing, s.Entrypoint = packing, []string{"/app/app"}
		return entry(registrytest.Image(s))
	}
	script := func(name, base string) registrytest.Entry {
		s := made(name, base, "entry.sh", "ADD rootfs /", "COPY entry.sh /entry.sh")
		s.Entrypoint = []string{"/entry.sh"}
		return entry(registrytest.Image(s))
	}
	const line = "COPY target/release/app /usr/bin/ # buildkit"
	for what, c := range map[string]struct {
		entries []registrytest.Entry
		want    bool
	}{
		"shared": {[]registrytest.Entry{
			program("linux/amd64", "a", "app", "", line),
			program("linux/arm64", "b", "app", "", line),
		}, true},
		"shared, compressed differently": {[]registrytest.Entry{
			program("linux/amd64", "a", "app", "", line),
			program("linux/arm64", "b", "app", "zstd", line),
		}, true},
		"different": {[]registrytest.Entry{
			program("linux/amd64", "a", "app", "", line),
			program("linux/arm64", "b", "other", "", line),
		}, false},
		"data": {[]registrytest.Entry{
			program("linux/amd64", "a", "app", "", "COPY etc /etc"),
			program("linux/arm64", "b", "app", "", "COPY etc /etc"),
		}, false},
		"documentation": {[]registrytest.Entry{
			program("linux/amd64", "a", "app", "", "COPY LICENSE /usr/share/doc/app/ # buildkit"),
			program("linux/arm64", "b", "app", "", "COPY LICENSE /usr/share/doc/app/ # buildkit"),
		}, false},
		"a directory with the program's name": {[]registrytest.Entry{
			program("linux/amd64", "a", "app", "", "COPY target/release /app/ # buildkit"),
			program("linux/arm64", "b", "app", "", "COPY target/release /app/ # buildkit"),
		}, true},
		"a script": {[]registrytest.Entry{script("linux/amd64", "a"), script("linux/arm64", "b")}, false},
		"variants": {[]registrytest.Entry{
			program("linux/arm/v6", "a", "app", "", line),
			program("linux/arm/v7", "b", "app", "", line),
		}, false},
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			findings := inspect.Check(readBuilt(t, list(c.entries...)), inspect.CheckOptions{})
			if has(findings, inspect.Note, "share the layer that has") != c.want || inspect.Failed(findings) != nil {
				t.Errorf("want the note: %v:\n%s", c.want, show(findings))
			}
		})
	}
}
