package rootfs_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"mtool/inspect/rootfs"
	"mtool/registry"
)

func TestMerge(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		layers []lines
		want   lines
	}{
		{
			"one layer",
			[]lines{{"dir usr/", "elf usr/app amd64", "plain etc/hosts", "text run"}},
			lines{"etc/hosts plain 0", "run text 0", "usr/app amd64 0"},
		},
		{"wrong in the lower layer, right in the upper", []lines{{"elf app amd64"}, {"elf app arm64"}}, lines{"app arm64 1"}},
		{"right in the lower layer, wrong in the upper", []lines{{"elf app arm64"}, {"elf app amd64"}}, lines{"app amd64 1"}},
		{"text hides a program", []lines{{"elf app amd64"}, {"plain app"}}, lines{"app plain 1"}},
		{"names differ in case", []lines{{"elf App amd64"}, {"elf app arm64"}}, lines{"App amd64 0", "app arm64 1"}},

		{"whiteout", []lines{{"elf a/app amd64", "elf a/b arm64"}, {"gone a/app"}}, lines{"a/b arm64 0"}},
		{"whiteout of something else", []lines{{"elf a/app amd64"}, {"gone a/ap"}}, lines{"a/app amd64 0"}},
		{"whiteout of a directory", []lines{{"elf a/b/app amd64", "elf a/c arm64"}, {"gone a/b"}}, lines{"a/c arm64 0"}},
		{
			"whiteout hides no file of its own layer, after it",
			[]lines{{"elf app amd64"}, {"gone app", "elf app arm64"}},
			lines{"app arm64 1"},
		},
		{"whiteout hides nothing of a higher layer", []lines{{"gone app"}, {"elf app arm64"}}, lines{"app arm64 1"}},
		{
			"whiteout of a directory that gets a new file",
			[]lines{{"elf a/old amd64"}, {"gone a", "elf a/new arm64"}},
			lines{"a/new arm64 1"},
		},
		{"whiteouts of a directory and in it", []lines{{"elf a/b amd64", "elf a/c amd64"}, {"gone a", "gone a/b"}}, nil},
		{"deleted and created again", []lines{{"elf a amd64"}, {"gone a"}, {"elf a arm64"}}, lines{"a arm64 2"}},
		{"created and deleted", []lines{{"elf a amd64"}, {"elf a arm64"}, {"gone a"}}, nil},
		{
			"metadata of AUFS",
			[]lines{{"elf .wh..wh.plnk arm64", "elf .wh..wh.aufs arm64", "elf a amd64"}},
			lines{"a amd64 0"},
		},

		{
			"opaque",
			[]lines{{"elf a/b/x amd64", "elf a/y amd64", "elf z amd64"}, {"dir a/", "opaque a", "elf a/new arm64"}},
			lines{"a/new arm64 1", "z amd64 0"},
		},
		{"opaque after the files", []lines{{"elf a/y amd64"}, {"elf a/new arm64", "opaque a"}}, lines{"a/new arm64 1"}},
		{"opaque in the lower layer only", []lines{{"opaque a", "elf a/x amd64"}, {"elf a/y arm64"}}, lines{"a/x amd64 0", "a/y arm64 1"}},

		{
			"directories merge",
			[]lines{{"dir a/", "elf a/x amd64"}, {"dir a/", "elf a/y arm64"}},
			lines{"a/x amd64 0", "a/y arm64 1"},
		},
		{"a file hides a directory", []lines{{"elf a/x amd64"}, {"plain a"}}, lines{"a plain 1"}},
		{"a link hides a directory", []lines{{"elf a/x amd64"}, {"link a b"}}, lines{"a -> b 1"}},
		{"a directory hides a file", []lines{{"elf a amd64"}, {"dir a/"}}, nil},
		{"a parent without an entry of its own hides a file", []lines{{"elf a amd64"}, {"elf a/b arm64"}}, lines{"a/b arm64 1"}},
		{
			"a directory hides a link",
			[]lines{{"link bin usr/bin", "elf usr/bin/sh amd64"}, {"elf bin/sh arm64"}},
			lines{"bin/sh arm64 1", "usr/bin/sh amd64 0"},
		},
		{"a device hides a text", []lines{{"plain a"}, {"device a"}}, lines{"a plain 1"}},
		{
			"a hidden directory does not come back",
			[]lines{{"elf a/x amd64"}, {"plain a"}, {"dir a/", "elf a/y arm64"}},
			lines{"a/y arm64 2"},
		},

		{"hard link", []lines{{"elf a amd64", "hard b a", "elf a arm64"}}, lines{"a arm64 0", "b amd64 0"}},
		{"hard link to a file of a lower layer", []lines{{"elf a amd64"}, {"hard b a"}}, lines{"a amd64 0", "b amd64 1"}},
		{"hard link to a file that its layer hides", []lines{{"elf a amd64"}, {"hard b a", "gone a"}}, lines{"b amd64 1"}},
		{
			"hard link to a file that its layer replaces",
			[]lines{{"elf a amd64"}, {"hard b a", "elf a arm64"}},
			lines{"a arm64 1", "b amd64 1"},
		},
		{
			"hard link to a file that a higher layer replaces",
			[]lines{{"elf a amd64"}, {"hard b a"}, {"elf a arm64"}},
			lines{"a arm64 2", "b amd64 1"},
		},
		{"hard link to text", []lines{{"text a"}, {"hard b a"}}, lines{"a text 0", "b text 1"}},
		{"hard link to a link", []lines{{"link a x", "hard b a"}}, lines{"a -> x 0", "b -> x 0"}},
		{"hard link to a link of a lower layer", []lines{{"link a x"}, {"hard b a"}}, lines{"a -> x 0", "b -> x 1"}},
		{
			"hard link through a link",
			[]lines{{"elf usr/a amd64", "link l usr"}, {"hard b l/a"}},
			lines{"b amd64 1", "l -> usr 0", "usr/a amd64 0"},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if got := show(merge(t, tt.layers...)); !slices.Equal(got, tt.want) {
				t.Errorf("got  %q\nwant %q", got, tt.want)
			}
		})
	}
}

func TestMergeRefuses(t *testing.T) {
	t.Parallel()
	facts := scan(t, tarOf(t, "hard b a"))
	if _, err := rootfs.Merge([]rootfs.LayerFacts{facts}); !errors.Is(err, registry.ErrContent) {
		t.Errorf("a hard link to nothing: got %v, want %v", err, registry.ErrContent)
	}
	dir := scan(t, tarOf(t, "dir a/"))
	if _, err := rootfs.Merge([]rootfs.LayerFacts{dir, facts}); !errors.Is(err, registry.ErrContent) {
		t.Errorf("a hard link to a directory: got %v, want %v", err, registry.ErrContent)
	}
	facts = scan(t, tarOf(t, "elf a amd64"))
	facts.Schema = "mtool.layer/v999"
	if _, err := rootfs.Merge([]rootfs.LayerFacts{facts}); !errors.Is(err, rootfs.ErrSchema) {
		t.Errorf("facts of another version: got %v, want %v", err, rootfs.ErrSchema)
	}
}

func TestMergeKeepsFacts(t *testing.T) {
	t.Parallel()
	lower, upper := scan(t, tarOf(t, "elf a amd64", "text p")), scan(t, tarOf(t, "hard b a", "hard q p", "gone a"))
	before, err := lower.MarshalJSON()
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		tree, err := rootfs.Merge([]rootfs.LayerFacts{lower, upper})
		if err != nil {
			t.Fatal(err)
		}
		if got, want := show(tree), (lines{"b amd64 1", "p text 0", "q text 1"}); !slices.Equal(got, want) {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	after, err := lower.MarshalJSON()
	if err != nil || string(after) != string(before) {
		t.Errorf("merging changed the facts: %s, before %s (%v)", after, before, err)
	}
}

func TestGaps(t *testing.T) {
	t.Parallel()
	tree := merge(t, nil, lines{"elf a arm64", "hard b below"})
	if got := tree.Gaps(); !slices.Equal(got, []int{0}) {
		t.Errorf("gaps %v, want [0]", got)
	}
	if got, want := show(tree), (lines{"a arm64 1", "b -> below 1"}); !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	if _, err := tree.Lookup("/nowhere"); !errors.Is(err, rootfs.ErrUnread) || errors.Is(err, rootfs.ErrMissing) {
		t.Errorf("a path that an unread layer may have: got %v, want %v", err, rootfs.ErrUnread)
	}
	if _, err := merge(t, lines{"elf a arm64"}).Lookup("/nowhere"); !errors.Is(err, rootfs.ErrMissing) {
		t.Errorf("with all layers read: got %v, want %v", err, rootfs.ErrMissing)
	}
}

// If runtimes unpack an image differently, Readings returns each of the trees.
func TestReadings(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name             string
		layers           []lines
		overlay, inPlace lines // nil: there is one reading
	}{
		{
			"one reading",
			[]lines{{"dir a/", "elf a/x amd64"}, {"dir a/", "gone a/x", "elf a/y arm64"}},
			lines{"a/y arm64 1"},
			nil,
		},
		{
			"a directory after its whiteout",
			[]lines{{"elf t/tool amd64"}, {"gone t", "dir t/", "plain t/readme"}},
			lines{"t/readme plain 1", "t/tool amd64 0"},
			lines{"t/readme plain 1"},
		},
		{
			"a directory after a whiteout of nothing",
			[]lines{{"elf a amd64"}, {"gone t", "dir t/", "elf t/b arm64"}},
			lines{"a amd64 0", "t/b arm64 1"},
			nil,
		},
		{
			"a directory after a file of its own layer",
			[]lines{{"elf t/tool amd64"}, {"plain t", "dir t/", "elf t/new arm64"}},
			lines{"t/new arm64 1", "t/tool amd64 0"},
			lines{"t/new arm64 1"},
		},
		{
			"an opaque root",
			[]lines{{"elf t/tool amd64"}, {"opaque .", "elf app arm64"}},
			lines{"app arm64 1", "t/tool amd64 0"},
			lines{"app arm64 1"},
		},
		{
			"below a link of a lower layer",
			[]lines{{"link bin usr/bin", "elf usr/bin/sh amd64"}, {"elf bin/sh arm64"}},
			lines{"bin/sh arm64 1", "usr/bin/sh amd64 0"},
			lines{"bin -> usr/bin 0", "usr/bin/sh arm64 1"},
		},
		{
			"a whiteout below a link of a lower layer",
			[]lines{{"link bin usr/bin", "elf usr/bin/sh amd64"}, {"gone bin/sh"}},
			lines{"usr/bin/sh amd64 0"},
			lines{"bin -> usr/bin 0"},
		},
		{
			"a directory in the place of a link",
			[]lines{{"link bin usr/bin", "elf usr/bin/sh amd64"}, {"dir bin/", "elf bin/sh arm64"}},
			lines{"bin/sh arm64 1", "usr/bin/sh amd64 0"},
			nil,
		},
		{
			"below a file of a lower layer, which cannot be unpacked in place",
			[]lines{{"elf t amd64", "link l m"}, {"elf t/a arm64", "dir l/"}},
			lines{"t/a arm64 1"},
			nil,
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			trees := readings(t, tt.layers...)
			if got := show(trees[0]); !slices.Equal(got, tt.overlay) || trees[0].Reading() != rootfs.Overlay {
				t.Errorf("%s: got %q\nwant %q", trees[0].Reading(), got, tt.overlay)
			}
			switch {
			case tt.inPlace == nil && len(trees) != 1, tt.inPlace != nil && len(trees) != 2:
				t.Errorf("got %d readings", len(trees))
			case tt.inPlace != nil:
				if got := show(trees[1]); !slices.Equal(got, tt.inPlace) || trees[1].Reading() != rootfs.InPlace {
					t.Errorf("%s: got %q\nwant %q", trees[1].Reading(), got, tt.inPlace)
				}
			}
		})
	}
}

func readings(t *testing.T, layers ...lines) []*rootfs.Tree {
	t.Helper()
	var facts []rootfs.LayerFacts
	for _, l := range layers {
		facts = append(facts, scan(t, tarOf(t, l...)))
	}
	trees, err := rootfs.Readings(facts)
	if err != nil {
		t.Fatal(err)
	}
	return trees
}

// Entries that no tool writes and that runtimes read differently are refused, by themselves or because of lower layers.
func TestAmbiguous(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		lower  lines
		upper  lines
		reason string
	}{
		{
			"a whiteout after the file",
			lines{"elf app amd64"},
			lines{"elf app arm64", "gone app"},
			"comes after the layer's own",
		},
		{
			"a whiteout after the directory",
			lines{"elf a/old amd64"},
			lines{"dir a/", "elf a/new arm64", "gone a"},
			"comes after the layer's own",
		},
		{
			"an opaque marker after files",
			lines{"elf a/old amd64"},
			lines{"elf a/b/new arm64", "opaque a"},
			"opaque marker comes after",
		},
		{"an opaque marker through a link", lines{"elf a amd64"}, lines{"link l /", "opaque l"}, "comes through a link"},
		{
			"an opaque marker below a link of a lower layer",
			lines{"link l a", "elf a/x amd64"},
			lines{"opaque l"},
			"link of a lower layer",
		},
		{"a hard link to a removed file", lines{"elf a amd64"}, lines{"gone a", "hard b a"}, "has removed"},
		{"a hard link that makes something executable", lines{"lib a amd64"}, lines{"hard b a"}, "executable"},
		{"a hard link that makes something of its layer executable", nil, lines{"lib a amd64", "hard b a"}, "executable"},
		{"a hard link with two dots", lines{"elf a amd64"}, lines{"hard b c/../a"}, `".."`},
		{"a link that leads out of a missing directory", lines{"elf m amd64"}, lines{"link l m/../k", "elf l/x arm64"}, `".."`},
		{
			"a file that replaces an entry that may be elsewhere",
			lines{"link bin usr/bin"},
			lines{"elf bin/sh amd64", "link bin other"},
			"may have changed lower layers",
		},
		{"a directory after a file in it", lines{"link bin usr/bin"}, lines{"elf bin/sh amd64", "dir bin/"}, "order of entries"},
		{
			"two names for one file",
			lines{"link bin usr/bin", "dir usr/bin/"},
			lines{"elf bin/sh amd64", "elf usr/bin/sh arm64"},
			"order of entries",
		},
		{
			"a whiteout and a file at one path, through a link",
			lines{"link c /", "elf d amd64"},
			lines{"link d /", "gone c/d"},
			"order of entries",
		},
		{"a device over a program", lines{"elf a amd64"}, lines{"device a"}, "only some runtimes"},
		{"a device over a file of its layer", nil, lines{"elf a amd64", "device a"}, "a device replaces"},
		{"overlayfs's whiteout", lines{"elf a amd64"}, lines{"whiteout a"}, "0:0"},
		{"overlayfs's attribute", nil, lines{"xattr a/ trusted.overlay.redirect /opt"}, "trusted.overlay.redirect"},
		{"overlayfs's attribute in user namespaces", nil, lines{"xattr a/ user.overlay.opaque y"}, "user.overlay.opaque"},
		{"fuse-overlayfs's attribute", nil, lines{"xattr a/ user.fuseoverlayfs.opaque y"}, "user.fuseoverlayfs.opaque"},
		{
			"a global header that is named like a file of a lower layer",
			lines{"elf t/tool amd64"},
			lines{"global t/tool comment x"},
			"only some runtimes",
		},
		{
			"a global header that is named like a file of its layer", nil,
			lines{"elf tool amd64", "global tool comment x"},
			"only some runtimes",
		},
		{"a global header that is named like a whiteout", nil, lines{"global t/.wh.tool comment x"}, "like a whiteout"},
		{"a global header that renames", nil, lines{"global g path usr/bin/app", "elf a amd64"}, "sets path"},
		{"a directory that is named like a whiteout", nil, lines{"elf .wh.d/tool amd64"}, "like a whiteout"},
		{
			"a whiteout of AUFS's own",
			lines{"elf .wh..wh.b/tool amd64"},
			lines{"elf .wh..wh..wh.b arm64"},
			"only some runtimes",
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			below := scan(t, tarOf(t, tt.lower...))
			data := tarOf(t, tt.upper...)
			facts, err := scanWith(t, data, rootfs.Options{})
			if err == nil {
				_, err = rootfs.Readings([]rootfs.LayerFacts{below, facts})
			}
			unchecked, ok := errors.AsType[*rootfs.UncheckedError](err)
			if !ok || unchecked.Reason != rootfs.Ambiguous || unchecked.Layer != digestOf(t, data) ||
				!strings.Contains(unchecked.Detail, tt.reason) {
				t.Errorf("got %v, want %q", err, tt.reason)
			}
		})
	}
}

// Odd entries that all runtimes read alike.
func TestUnambiguous(t *testing.T) {
	t.Parallel()
	for name, entries := range map[string]lines{
		"a global header of git archive":     {"global pax_global_header comment 0123456789", "elf a arm64"},
		"a global header that GNU tar makes": {"global tmp/GlobalHead.1.1 comment x", "elf a arm64"},
		"devices":                            {"dir dev/", "device dev/null", "device dev/zero", "elf a arm64"},
		"a harmless attribute of overlayfs": {
			"xattr d/ trusted.overlay.origin x", "xattr e/ user.overlay.impure y",
			"elf a arm64",
		},
		"other attributes":          {"xattr d/ security.capability x", "xattr e/ user.comment overlay", "elf a arm64"},
		"a link out of a directory": {"dir usr/lib/", "link usr/lib/l ../share", "elf usr/lib/l/x arm64"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if trees := readings(t, lines{"elf a amd64"}, entries); len(trees) != 1 {
				t.Errorf("got %d readings", len(trees))
			}
		})
	}
}
