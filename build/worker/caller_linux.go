//go:build !mips64le

package worker

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	osuser "os/user"
	"strconv"
	"strings"

	"github.com/moby/sys/user"
	"golang.org/x/sys/unix"
)

// thisCaller reads what planMapping needs.
func thisCaller() (caller, error) {
	c := caller{UID: os.Geteuid(), GID: os.Getegid()}
	var err error
	if c.OwnUIDs, err = user.ParseIDMapFile("/proc/self/uid_map"); err != nil {
		return c, fmt.Errorf("reading the user namespace: %w", err)
	}
	if c.OwnGIDs, err = user.ParseIDMapFile("/proc/self/gid_map"); err != nil {
		return c, fmt.Errorf("reading the user namespace: %w", err)
	}
	if b, err := os.ReadFile("/proc/self/setgroups"); err == nil {
		c.NoSetgroups = strings.TrimSpace(string(b)) == "deny"
	}
	if c.UID == 0 {
		return c, nil
	}
	c.Name = strconv.Itoa(c.UID)
	if u, err := osuser.LookupId(c.Name); err == nil {
		c.Name = u.Username
	}
	if c.SubUIDs, err = subIDs("/etc/subuid", c); err != nil {
		return c, err
	}
	if c.SubGIDs, err = subIDs("/etc/subgid", c); err != nil {
		return c, err
	}
	_, noUID := exec.LookPath("newuidmap")
	_, noGID := exec.LookPath("newgidmap")
	c.Helpers = noUID == nil && noGID == nil
	nnp, err := unix.PrctlRetInt(unix.PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0)
	c.NoNewPrivs = err == nil && nnp == 1
	return c, nil
}

// MoreIDs returns a line for /etc/subuid and /etc/subgid with which id is mapped too; "" if lines there don't help. Its
// range is behind those of all users.
func MoreIDs(id int64) string {
	c, err := thisCaller()
	if err != nil || c.UID == 0 {
		return ""
	}
	var taken []user.SubID
	for _, path := range []string{"/etc/subuid", "/etc/subgid"} {
		ranges, err := user.ParseSubIDFileFilter(path, nil)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return ""
		}
		taken = append(taken, ranges...)
	}
	return moreIDs(c, taken, id)
}

// subIDs reads the ranges of c's user, by name or by number: https://man7.org/linux/man-pages/man5/subuid.5.html
func subIDs(path string, c caller) ([]user.SubID, error) {
	ranges, err := user.ParseSubIDFileFilter(path, func(r user.SubID) bool {
		return r.Count > 0 && (r.Name == c.Name || r.Name == strconv.Itoa(c.UID))
	})
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", path, err)
	}
	return ranges, nil
}
