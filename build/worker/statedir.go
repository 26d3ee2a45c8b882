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

// stateDir returns the directory below state for workers of mapping m, and whether it is new. Its files belong to ids
// of that mapping: another mapping would silently give them other owners. So another range in /etc/subuid, another
// user, or another machine that shares the home gets its own directory; the same range gets the old one again.
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

// whole reports whether each id maps to itself, as for root of the machine, wherever its home comes from.
func whole(maps []user.IDMap) bool {
	return len(maps) == 1 && maps[0] == user.IDMap{Count: allIDs - 1}
}

// others returns the states next to dir that its worker can't use.
func others(dir string, m mapping) (names []string) {
	// the pattern has one special character, the last
	found, _ := filepath.Glob(filepath.Join(filepath.Dir(dir), m.Kind+"*"))
	for _, path := range found {
		if path != dir {
			names = append(names, path)
		}
	}
	return names
}

// oldDir returns the directory below state that an older version used; "" if there is none.
func oldDir(state string, m mapping) string {
	old := filepath.Join(state, m.Kind)
	// it may be the machine's, if this is a container
	if _, err := os.Stat(filepath.Join(old, "lock")); err != nil || m.Kind == "root" {
		return ""
	}
	return old
}

// emptyCache returns the note about states that can't be used.
func emptyCache(dir string, unused []string) string {
	return fmt.Sprintf(
		"starting an empty build cache in %q: user ids are mapped differently than for %s (another range in /etc/subuid or "+
			"/etc/subgid, another user, or an older mtool), where every file would have another owner", dir,
		strings.Join(unused, ", "))
}
