package parity_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"mtool/inspect"
	"mtool/inspect/parity"
)

// settings are the settings of a config.
type settings map[string]any

// entry returns the usual image for a platform, with changes.
func entry(t *testing.T, arch string, changes ...func(config, inner settings, c *inspect.Contents)) parity.Entry {
	t.Helper()
	inner := settings{
		"Labels": map[string]string{
			"org.opencontainers.image.version":  "1.2-" + arch,
			"org.opencontainers.image.revision": "abc", "org.opencontainers.image.source": "https://example.com/a",
		},
		"Env": []string{
			"PATH=/usr/bin", "LD_LIBRARY_PATH=/usr/lib/" + triplet(arch),
			"JAVA_HOME=/usr/lib/jvm/java-17-openjdk-" + arch, "SUM=" + strings.Repeat(arch[:1]+"1", 32),
		},
		"Entrypoint": []string{"/usr/bin/tool-" + arch}, "Cmd": []string{"serve"}, "User": "65532", "WorkingDir": "/srv",
		"ExposedPorts": map[string]any{"80/tcp": settings{}}, "Volumes": map[string]any{"/data": settings{}},
	}
	config := settings{"created": "2025-01-02T03:04:05Z", "config": inner}
	contents := inspect.Contents{
		Whole: true, Programs: []string{"tool", arch + "-tool", triplet(arch) + "-gcc"},
		Packages: map[string]string{
			"bash": "5.2-1", "libc6": "2.36-9",
			"gcc-" + strings.ReplaceAll(triplet(arch), "_", "-"): "12",
		},
		Needs: map[string]bool{"libc6": true},
	}
	for _, change := range changes {
		change(config, inner, &contents)
	}
	body, err := json.Marshal(config)
	if err != nil {
		t.Fatal(err)
	}
	p := v1.Platform{OS: "linux", Architecture: arch}
	return parity.Entry{
		Image:    &inspect.Image{ConfigBody: body, Config: p, Descriptor: v1.Descriptor{Platform: &p}},
		Contents: contents,
	}
}

func triplet(arch string) string {
	return map[string]string{"amd64": "x86_64-linux-gnu", "arm64": "aarch64-linux-gnu", "arm": "arm-linux-gnueabihf"}[arch]
}

func label(inner settings, name, value string) {
	inner["Labels"].(map[string]string)[name] = value
}

// Each planted difference in one of three images is found, and no other; those that deserve a note get one.
func TestPlanted(t *testing.T) {
	t.Parallel()
	type change = func(config, inner settings, c *inspect.Contents)
	for name, c := range map[string]struct {
		change change
		rule   string
		what   string
		note   bool
	}{
		"version": {
			func(_, i settings, _ *inspect.Contents) { label(i, "org.opencontainers.image.version", "1.3-arm64") },
			parity.RuleLabel, "image.version", true,
		},
		"revision": {
			func(_, i settings, _ *inspect.Contents) { label(i, "org.opencontainers.image.revision", "abd") },
			parity.RuleLabel, "image.revision", true,
		},
		"source": {
			func(_, i settings, _ *inspect.Contents) { label(i, "org.opencontainers.image.source", "b") },
			parity.RuleLabel, "image.source", false,
		},
		"no version": {func(_, i settings, _ *inspect.Contents) {
			delete(i["Labels"].(map[string]string), "org.opencontainers.image.version")
		}, parity.RuleLabel, "image.version", false},
		"older revision key": {
			func(_, i settings, _ *inspect.Contents) { label(i, "org.label-schema.vcs-ref", "x") },
			parity.RuleLabel, "vcs-ref", false,
		},
		"created": {
			func(o, _ settings, _ *inspect.Contents) { o["created"] = "2025-03-02T03:04:05Z" }, parity.RuleCreated,
			"created", true,
		},
		"base": {func(_, i settings, _ *inspect.Contents) {
			label(i, "org.opencontainers.image.base.name", "alpine:3.19")
		}, parity.RuleConfig, "base", false},
		"entrypoint": {
			func(_, i settings, _ *inspect.Contents) { i["Entrypoint"] = []string{"/usr/bin/other"} },
			parity.RuleConfig, "entrypoint", false,
		},
		"command": {
			func(_, i settings, _ *inspect.Contents) { delete(i, "Cmd") }, parity.RuleConfig,
			"command", false,
		},
		"user": {func(_, i settings, _ *inspect.Contents) { i["User"] = "" }, parity.RuleConfig, "user", false},
		"working directory": {
			func(_, i settings, _ *inspect.Contents) { i["WorkingDir"] = "/" }, parity.RuleConfig,
			"working directory", false,
		},
		"ports": {func(_, i settings, _ *inspect.Contents) {
			i["ExposedPorts"] = map[string]any{"81/tcp": settings{}}
		}, parity.RuleConfig, "ports", false},
		"volumes": {
			func(_, i settings, _ *inspect.Contents) { delete(i, "Volumes") }, parity.RuleConfig,
			"volumes", false,
		},
		"another value": {
			func(_, i settings, _ *inspect.Contents) { i["Env"].([]string)[0] = "PATH=/opt" },
			parity.RuleConfig, "variable PATH", false,
		},
		"one more variable": {
			func(_, i settings, _ *inspect.Contents) { i["Env"] = append(i["Env"].([]string), "DEBUG=") },
			parity.RuleConfig, "variable DEBUG", false,
		},
		"one more program": {
			func(_, _ settings, c *inspect.Contents) { c.Programs = append(c.Programs, "jq") },
			parity.RuleProgram, "program jq", true,
		},
		"one program missing": {
			func(_, _ settings, c *inspect.Contents) { c.Programs = c.Programs[1:] }, parity.RuleProgram,
			"program tool", true,
		},
		"another version": {
			func(_, _ settings, c *inspect.Contents) { c.Packages["bash"] = "5.1-1" }, parity.RulePackage,
			"package bash", false,
		},
		"one more package": {
			func(_, _ settings, c *inspect.Contents) { c.Packages["curl"] = "8" }, parity.RulePackage,
			"package curl", false,
		},
		"one package missing": {
			func(_, _ settings, c *inspect.Contents) { delete(c.Packages, "bash") }, parity.RulePackage,
			"package bash", false,
		},
		"one library missing": {
			func(_, _ settings, c *inspect.Contents) { delete(c.Packages, "libc6") }, parity.RulePackage,
			"package libc6", false,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			entries := []parity.Entry{entry(t, "amd64"), entry(t, "arm64", c.change), entry(t, "arm")}
			found, differences := parity.Findings(inspect.Report{}, entries, true)
			if len(differences) != 1 || len(found) != 1 || found[0].State != inspect.Mismatch || found[0].Rule != c.rule ||
				!strings.Contains(found[0].Message, c.what) {
				t.Errorf("found %+v of %+v, want %q", found, differences, c.what)
			}
			noted, _ := parity.Findings(inspect.Report{}, entries, false)
			if (len(noted) == 1) != c.note || slices.ContainsFunc(noted, inspect.Finding.Fails) {
				t.Errorf("noted: %+v", noted)
			}
		})
	}
}

// Differences that only the architecture causes do not count.
func TestHonest(t *testing.T) {
	t.Parallel()
	type change = func(config, inner settings, c *inspect.Contents)
	for name, c := range map[string]change{
		"nothing": func(_, _ settings, _ *inspect.Contents) {},
		"libquadmath": func(_, _ settings, c *inspect.Contents) {
			c.Packages["libquadmath0"], c.Needs["libquadmath0"] = "12", true
		},
		"microcode": func(_, _ settings, c *inspect.Contents) {
			c.Packages["intel-microcode"], c.Packages["amd64-microcode"], c.Packages["grub-pc-bin"] = "3", "3", "2"
		},
		"a rebuild": func(_, _ settings, c *inspect.Contents) { c.Packages["bash"] = "5.2-1+b3" },
		"the names of setarch": func(_, _ settings, c *inspect.Contents) {
			c.Programs = append(c.Programs, "x86_64", "i386", "linux64", "s390")
		},
		"a reproducible build": func(o, _ settings, _ *inspect.Contents) { o["created"] = "1980-01-01T00:00:00Z" },
		"some weeks later":     func(o, _ settings, _ *inspect.Contents) { o["created"] = "2025-01-30T00:00:00Z" },
		"no packages":          func(_, _ settings, c *inspect.Contents) { c.Packages = nil },
		"a checksum": func(_, i settings, _ *inspect.Contents) {
			i["Env"].([]string)[3] = "SUM=" + strings.Repeat("ab", 32)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			entries := []parity.Entry{entry(t, "amd64", c), entry(t, "arm64"), entry(t, "arm")}
			if found, _ := parity.Findings(inspect.Report{}, entries, true); len(found) > 0 {
				t.Errorf("found %+v", found)
			}
		})
	}
}

// Layers that were not read to their end are not compared, and many different programs make one line.
func TestUnreadAndMany(t *testing.T) {
	t.Parallel()
	part := func(_, _ settings, c *inspect.Contents) { *c = inspect.Contents{} }
	found, _ := parity.Findings(inspect.Report{}, []parity.Entry{entry(t, "amd64"), entry(t, "arm64", part)}, true)
	if len(found) != 1 || found[0].State != inspect.Unchecked || found[0].Rule != parity.RuleUnread {
		t.Errorf("found %+v", found)
	}
	rpm := func(_, _ settings, c *inspect.Contents) { c.Unread = "var/lib/rpm/rpmdb.sqlite" }
	for _, same := range []bool{true, false} {
		found, _ := parity.Findings(inspect.Report{}, []parity.Entry{entry(t, "amd64", rpm), entry(t, "arm64", rpm)}, same)
		if same != (len(found) == 1 && found[0].State == inspect.Note && found[0].Rule == parity.RuleListing) ||
			!same && len(found) > 0 {
			t.Errorf("same %t: found %+v", same, found)
		}
	}
	many := func(_, _ settings, c *inspect.Contents) {
		for n := range 100 {
			c.Programs = append(c.Programs, fmt.Sprint("tool", n))
		}
	}
	found, differences := parity.Findings(inspect.Report{},
		[]parity.Entry{entry(t, "amd64"), entry(t, "arm64", many)}, false)
	if len(found) != 1 || len(differences) != 100 || !strings.Contains(found[0].Message, "and 95 more") {
		t.Errorf("%d differences, found %+v", len(differences), found)
	}
}
