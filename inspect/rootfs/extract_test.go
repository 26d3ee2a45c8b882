package rootfs_test

import (
	"encoding/json"
	"io"
	"reflect"
	"strings"
	"testing"

	"mtool/inspect/rootfs"
)

// upper extracts the texts of files named x.json, in capitals.
func upper(path string) rootfs.Extractor {
	if !strings.HasSuffix(path, "x.json") {
		return nil
	}
	return func(r io.Reader) string {
		body, _ := io.ReadAll(r)
		return strings.ToUpper(string(body))
	}
}

// Texts are kept as extracted and follow links and layers like their files; a program with such a name stays a program.
func TestExtract(t *testing.T) {
	t.Parallel()
	var facts []rootfs.LayerFacts
	for _, layer := range []lines{
		{
			"text a/x.json", "plain a/y.json", "elf b/x.json arm64", "script c/x.json /bin/sh", "plain d/x.json",
			"plain gone/x.json",
		},
		{"hard e/x.json a/x.json", "elf d/x.json amd64", "gone gone", "link f a"},
	} {
		f, err := scanWith(t, tarOf(t, layer...), rootfs.Options{Extract: upper})
		if err != nil {
			t.Fatal(err)
		}
		data, err := json.Marshal(f)
		if err != nil {
			t.Fatal(err)
		}
		var again rootfs.LayerFacts
		if err := json.Unmarshal(data, &again); err != nil || !reflect.DeepEqual(f, again) {
			t.Errorf("as JSON: %v\ngot  %+v\nwant %+v", err, again, f)
		}
		facts = append(facts, f)
	}
	tree, err := rootfs.Merge(facts)
	if err != nil {
		t.Fatal(err)
	}
	const some = "ECHO HELLO\n"
	for path, want := range map[string]string{
		"a/x.json": some, "e/x.json": some, "f/x.json": some, "a/y.json": "", "b/x.json": "arm64", "c/x.json": "script",
		"d/x.json": "amd64",
	} {
		found, err := tree.Lookup(path)
		if err != nil {
			t.Errorf("%s: %v", path, err)
			continue
		}
		got := ""
		if f := found.File; f != nil && f.Fact != nil {
			if got = f.Fact.Arch; got == "" {
				got = string(f.Fact.Kind)
			}
		} else if f != nil {
			got = f.Text
		}
		if got != want {
			t.Errorf("%s: got %q, want %q", path, got, want)
		}
	}
	if _, err := tree.Lookup("gone/x.json"); err == nil {
		t.Error("a deleted text is found")
	}
}

// Texts count as memory.
func TestExtractLimits(t *testing.T) {
	t.Parallel()
	long := func(string) rootfs.Extractor {
		return func(io.Reader) string { return strings.Repeat("x", 1<<20) }
	}
	if _, err := scanWith(t, tarOf(t, "plain a", "plain b", "plain c"),
		rootfs.Options{Extract: long, Limits: rootfs.Limits{Memory: 2 << 20}}); err == nil {
		t.Error("3 MiB of texts fit into 2 MiB")
	}
	if _, err := scanWith(t, tarOf(t, "plain a"),
		rootfs.Options{Extract: long, Limits: rootfs.Limits{Memory: 4 << 20}}); err != nil {
		t.Errorf("1 MiB of texts: %v", err)
	}
}
