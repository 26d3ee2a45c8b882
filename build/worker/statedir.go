package worker

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/moby/sys/user"
)

// stateDir is the directory below state for workers of mapping m, and whether it is yet to be made. The files in it belong to
// ids of that mapping: under another one they would have other owners, and nothing would say so. So another range in
// /etc/subuid, another user, or another machine with ranges of its own that shares the home, finds a directory of its own; the
// same range finds the old one again.
func stateDir(state string, m mapping) (dir string, fresh bool) {
	dir = filepath.Join(state, m.Kind)
	if !whole(m.UIDs) || !whole(m.GIDs) {
		b, _ := json.Marshal([]any{m.UIDs, m.GIDs}) // numbers always encode
		sum := sha256.Sum256(b)
		dir += "-" + hex.EncodeToString(sum[:4])
	}
	_, err := os.Stat(dir)
	return dir, err != nil
}

// whole reports whether each id is itself: so it is for root of the machine, wherever its home comes from.
func whole(maps []user.IDMap) bool {
	return len(maps) == 1 && maps[0] == user.IDMap{Count: allIDs - 1}
}

// others names the states in the same place that a worker with directory dir can't use.
func others(dir string, m mapping) (names []string) {
	found, _ := filepath.Glob(filepath.Join(filepath.Dir(dir), m.Kind+"*")) // a pattern without special characters but the last
	for _, path := range found {
		if path != dir {
			names = append(names, path)
		}
	}
	return names
}

// oldDir is the directory below state that a version before this naming has left; "": there is none.
func oldDir(state string, m mapping) string {
	old := filepath.Join(state, m.Kind)
	if _, err := os.Stat(filepath.Join(old, "lock")); err != nil || m.Kind == "root" { // which may be the machine's, where this is a container
		return ""
	}
	return old
}

// beginsAnew is what is said of a state that can't be used.
func beginsAnew(dir string, unused []string) string {
	return fmt.Sprintf("the build cache begins anew in %q: user ids are mapped otherwise than for %s (another range in /etc/subuid or "+
		"/etc/subgid, another user, or an older mtool), where every file would have another owner", dir, strings.Join(unused, ", "))
}
