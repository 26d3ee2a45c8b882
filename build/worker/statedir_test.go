package worker

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/moby/sys/user"
)

func TestStateDir(t *testing.T) {
	t.Parallel()
	state := t.TempDir()
	from := func(first, count int64) mapping {
		ids := withSubIDs(1000, []user.SubID{{SubID: first, Count: count}})
		return mapping{Kind: "subids", UIDs: ids, GIDs: ids}
	}
	open := func(m mapping) (dir string, fresh bool) {
		dir, fresh = stateDir(state, m)
		if err := os.MkdirAll(dir, 0o700); err != nil {
			t.Fatal(err)
		}
		return dir, fresh
	}
	first, fresh := open(from(200000, 65536))
	if !fresh || len(others(first, from(200000, 65536))) != 0 {
		t.Errorf("the first state %q is not new", first)
	}
	if again, fresh := open(from(200000, 65536)); again != first || fresh {
		t.Errorf("the same range: %q after %q", again, first)
	}
	for name, m := range map[string]mapping{
		"another range": from(300000, 65536), "a longer one": from(200000, 65537),
		"another user": {
			Kind: "subids", UIDs: withSubIDs(1001, []user.SubID{{SubID: 200000, Count: 65536}}),
			GIDs: from(200000, 65536).GIDs,
		},
	} {
		dir, fresh := open(m)
		if !fresh || dir == first || !strings.Contains(emptyCache(dir, others(dir, m)), first) {
			t.Errorf("%s: directory %q is in use by another mapping, or the note %q does not name that one", name, dir, emptyCache(dir, others(dir, m)))
		}
	}
	root := mapping{
		Kind: "root", UIDs: identity([]user.IDMap{{Count: allIDs}}),
		GIDs: identity([]user.IDMap{{Count: allIDs}}),
	}
	if groups, _ := open(mapping{
		Kind: "root", UIDs: root.UIDs,
		GIDs: from(200000, 65536).GIDs,
	}); groups == filepath.Join(state, "root") {
		t.Error("another mapping of groups gets the same directory")
	}
	inner := mapping{
		Kind: "root", UIDs: identity([]user.IDMap{{Count: 65536}}),
		GIDs: identity([]user.IDMap{{Count: 65536}}),
	}
	dir, _ := open(root)
	if within, _ := open(inner); dir != filepath.Join(state, "root") || within == dir {
		t.Errorf("got %q for the machine's root, %q for a container's", dir, within)
	}
}
