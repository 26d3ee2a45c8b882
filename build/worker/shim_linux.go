package worker

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
)

// shim becomes runc after it took out of the container's configuration what a namespace of one single id can't have:
// the group 5 of /dev/pts. Its first argument is part of its own name: see installShim.
func shim(args []string) error {
	for i, a := range args {
		if a == "--bundle" && i+1 < len(args) {
			if err := dropPtsGroup(filepath.Join(args[i+1], "config.json")); err != nil {
				return fmt.Errorf("editing the container's configuration: %w", err)
			}
		}
	}
	runc, err := os.ReadFile(os.Args[0] + ".target")
	if err != nil {
		return fmt.Errorf("finding runc: %w", err)
	}
	return syscall.Exec(string(runc), append([]string{"runc"}, args...), os.Environ())
}

// installShim makes this program callable as runc and returns the path for it.
func installShim(root, runc string) (string, error) {
	path := filepath.Join(runDir(root), shimName)
	self, err := os.Executable()
	if err != nil {
		return "", err
	}
	if err := os.WriteFile(path+".target", []byte(runc), 0o600); err != nil {
		return "", err
	}
	return path, os.Symlink(self, path)
}

// dropPtsGroup edits path in place and keeps every member it does not know.
func dropPtsGroup(path string) error {
	b, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	if b, err = withoutPtsGroup(b); err != nil {
		return err
	}
	return os.WriteFile(path, b, 0o600)
}

func withoutPtsGroup(b []byte) ([]byte, error) {
	var spec map[string]json.RawMessage
	if err := json.Unmarshal(b, &spec); err != nil {
		return nil, err
	}
	var mounts []map[string]json.RawMessage
	if err := json.Unmarshal(spec["mounts"], &mounts); err != nil {
		return nil, err
	}
	for _, m := range mounts {
		var options []string
		if m["options"] == nil || string(m["type"]) != `"devpts"` {
			continue
		}
		if err := json.Unmarshal(m["options"], &options); err != nil {
			return nil, err
		}
		options = slices.DeleteFunc(options, func(o string) bool { return strings.HasPrefix(o, "gid=") })
		m["options"], _ = json.Marshal(options) // strings always encode
	}
	var err error
	if spec["mounts"], err = json.Marshal(mounts); err != nil {
		return nil, err
	}
	return json.Marshal(spec)
}
