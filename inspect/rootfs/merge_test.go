package rootfs_test

import (
	"errors"
	"slices"
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
		{"wrong below, right above", []lines{{"elf app amd64"}, {"elf app arm64"}}, lines{"app arm64 1"}},
		{"right below, wrong above", []lines{{"elf app arm64"}, {"elf app amd64"}}, lines{"app amd64 1"}},
		{"text hides a program", []lines{{"elf app amd64"}, {"plain app"}}, lines{"app plain 1"}},
		{"another case hides nothing", []lines{{"elf App amd64"}, {"elf app arm64"}}, lines{"App amd64 0", "app arm64 1"}},

		{"whiteout", []lines{{"elf a/app amd64", "elf a/b arm64"}, {"gone a/app"}}, lines{"a/b arm64 0"}},
		{"whiteout of something else", []lines{{"elf a/app amd64"}, {"gone a/ap"}}, lines{"a/app amd64 0"}},
		{"whiteout of a directory", []lines{{"elf a/b/app amd64", "elf a/c arm64"}, {"gone a/b"}}, lines{"a/c arm64 0"}},
		{"whiteout hides no file of its own layer, before it", []lines{{"elf app amd64"}, {"elf app arm64", "gone app"}}, lines{"app arm64 1"}},
		{"whiteout hides no file of its own layer, after it", []lines{{"elf app amd64"}, {"gone app", "elf app arm64"}}, lines{"app arm64 1"}},
		{"whiteout hides nothing of a layer above", []lines{{"gone app"}, {"elf app arm64"}}, lines{"app arm64 1"}},
		{"whiteout of a directory that is made anew", []lines{{"elf a/old amd64"}, {"dir a/", "elf a/new arm64", "gone a"}}, lines{"a/new arm64 1"}},
		{"deleted and made again", []lines{{"elf a amd64"}, {"gone a"}, {"elf a arm64"}}, lines{"a arm64 2"}},
		{"made and deleted", []lines{{"elf a amd64"}, {"elf a arm64"}, {"gone a"}}, nil},
		{"metadata of AUFS", []lines{{"elf .wh..wh.plnk arm64", "elf .wh..wh.aufs arm64", "elf a amd64"}}, lines{"a amd64 0"}},

		{
			"opaque",
			[]lines{{"elf a/b/x amd64", "elf a/y amd64", "elf z amd64"}, {"dir a/", "opaque a", "elf a/new arm64"}},
			lines{"a/new arm64 1", "z amd64 0"},
		},
		{"opaque after the files", []lines{{"elf a/y amd64"}, {"elf a/new arm64", "opaque a"}}, lines{"a/new arm64 1"}},
		{"opaque root", []lines{{"elf a/y amd64", "elf z amd64"}, {"opaque .", "elf a/new arm64"}}, lines{"a/new arm64 1"}},
		{"opaque only below", []lines{{"opaque a", "elf a/x amd64"}, {"elf a/y arm64"}}, lines{"a/x amd64 0", "a/y arm64 1"}},

		{"directories merge", []lines{{"dir a/", "elf a/x amd64"}, {"dir a/", "elf a/y arm64"}}, lines{"a/x amd64 0", "a/y arm64 1"}},
		{"a file hides a directory", []lines{{"elf a/x amd64"}, {"plain a"}}, lines{"a plain 1"}},
		{"a link hides a directory", []lines{{"elf a/x amd64"}, {"link a b"}}, lines{"a -> b 1"}},
		{"a directory hides a file", []lines{{"elf a amd64"}, {"dir a/"}}, nil},
		{"a parent that is not written out hides a file", []lines{{"elf a amd64"}, {"elf a/b arm64"}}, lines{"a/b arm64 1"}},
		{
			"a directory hides a link",
			[]lines{{"link bin usr/bin", "elf usr/bin/sh amd64"}, {"elf bin/sh arm64"}},
			lines{"bin/sh arm64 1", "usr/bin/sh amd64 0"},
		},
		{"a device hides a program", []lines{{"elf a amd64"}, {"device a"}}, lines{"a plain 1"}},
		{"a hidden directory does not come back", []lines{{"elf a/x amd64"}, {"plain a"}, {"dir a/", "elf a/y arm64"}}, lines{"a/y arm64 2"}},

		{"hard link", []lines{{"elf a amd64", "hard b a", "elf a arm64"}}, lines{"a arm64 0", "b amd64 0"}},
		{"hard link to a file of a lower layer", []lines{{"elf a amd64"}, {"hard b a"}}, lines{"a amd64 0", "b amd64 1"}},
		{"hard link to what its layer hides", []lines{{"elf a amd64"}, {"hard b a", "gone a"}}, lines{"b amd64 1"}},
		{"hard link to what its layer replaces", []lines{{"elf a amd64"}, {"hard b a", "elf a arm64"}}, lines{"a arm64 1", "b amd64 1"}},
		{"hard link to what a higher layer replaces", []lines{{"elf a amd64"}, {"hard b a"}, {"elf a arm64"}}, lines{"a arm64 2", "b amd64 1"}},
		{"hard link to text", []lines{{"plain a"}, {"hard b a"}}, lines{"a plain 0", "b plain 1"}},
		{"hard link to a link", []lines{{"link a x", "hard b a"}}, lines{"a -> x 0", "b -> x 0"}},
		{"hard link to a link of a lower layer", []lines{{"link a x"}, {"hard b a"}}, lines{"a -> x 0", "b -> x 1"}},
		{"hard link through a link", []lines{{"elf usr/a amd64", "link l usr"}, {"hard b l/a"}}, lines{"b amd64 1", "l -> usr 0", "usr/a amd64 0"}},
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
	lower, upper := scan(t, tarOf(t, "elf a amd64", "plain p")), scan(t, tarOf(t, "hard b a", "hard q p", "gone a"))
	before, err := lower.MarshalJSON()
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		tree, err := rootfs.Merge([]rootfs.LayerFacts{lower, upper})
		if err != nil {
			t.Fatal(err)
		}
		if got, want := show(tree), (lines{"b amd64 1", "p plain 0", "q plain 1"}); !slices.Equal(got, want) {
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
		t.Errorf("what an unread layer may have: got %v, want %v", err, rootfs.ErrUnread)
	}
	if _, err := merge(t, lines{"elf a arm64"}).Lookup("/nowhere"); !errors.Is(err, rootfs.ErrMissing) {
		t.Errorf("with all layers read: got %v, want %v", err, rootfs.ErrMissing)
	}
}
