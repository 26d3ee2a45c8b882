package rootfs_test

import (
	"encoding/json"
	"errors"
	"reflect"
	"slices"
	"strings"
	"testing"

	"mtool/inspect/rootfs"
)

func TestFactsAsJSON(t *testing.T) {
	t.Parallel()
	names := lines{
		"a", `back\slash`, `\x41`, `\\`, "latin\xe9", "\xff\xfe", "tab\tnew\nline", "日本", "\\xzz",
		"end\\", "\ufffd",
	}
	var entries lines
	for _, n := range names {
		entries = append(entries, "dir d/"+n+"/", "elf d/"+n+"/elf arm64", "plain d/"+n+"/plain", "text d/"+n+"/text",
			"link l/"+n+" "+n, "gone g/"+n)
	}
	facts, err := scanWith(t, tarOf(t, append(entries, "opaque o")...), rootfs.Options{Examiner: "binary/1"})
	if err != nil {
		t.Fatal(err)
	}
	data, err := json.Marshal(facts)
	if err != nil {
		t.Fatal(err)
	}
	var again rootfs.LayerFacts
	if err := json.Unmarshal(data, &again); err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(facts, again) {
		t.Errorf("got  %+v\nwant %+v", again, facts)
	}
	for i, f := range facts.Files[:len(names)] {
		if f.Path == "" || !slices.Contains(entries, "elf "+f.Path+" arm64") {
			t.Errorf("file %d: %q was not written", i, f.Path)
		}
	}
}

func TestFactsOfAnotherVersion(t *testing.T) {
	t.Parallel()
	data, err := json.Marshal(scan(t, tarOf(t, "elf a arm64")))
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(data), `"schema":"mtool.layer/v3"`) {
		t.Errorf("no version in %s", data)
	}
	var f rootfs.LayerFacts
	for _, liar := range []string{
		strings.Replace(string(data), "layer/v3", "layer/v1", 1), strings.Replace(string(data), "schema", "scheme", 1), "{}",
	} {
		if err := json.Unmarshal([]byte(liar), &f); !errors.Is(err, rootfs.ErrSchema) {
			t.Errorf("%s: got %v, want %v", liar, err, rootfs.ErrSchema)
		}
	}
	if err := json.Unmarshal(data[:len(data)-2], &f); err == nil || f.Schema != "" {
		t.Errorf("truncated JSON: got %+v (%v)", f, err)
	}
}

// TestFactsAreSmall: the facts of a file that is not a program are little longer than its name.
func TestFactsAreSmall(t *testing.T) {
	t.Parallel()
	var entries lines
	for dir := range strings.FieldsSeq("usr/share/doc usr/share/man usr/lib/python3") {
		for _, n := range many("plain") {
			entries = append(entries, "plain "+dir+"/"+strings.Fields(n)[1])
		}
	}
	data, err := json.Marshal(scan(t, tarOf(t, entries...)))
	if err != nil {
		t.Fatal(err)
	}
	if most := 1000 + 4*len(entries); len(data) > most {
		t.Errorf("%d bytes for %d files with names of 3 bytes, want at most %d: %s", len(data), len(entries), most, data)
	}
}
