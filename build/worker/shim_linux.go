//go:build !mips64le

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

// shimTask is what the shim does before and after runc; it is stored in a file next to the shim.
type shimTask struct {
	Runc string
	// DropPtsGroup removes group 5 of /dev/pts from the container's configuration, which a namespace with a single id
	// lacks.
	DropPtsGroup bool
	// DropHostname removes the step's host name.
	DropHostname bool
	// EndAll ends what a step leaves behind, since there is no PID namespace to do so.
	EndAll bool
}

// shim is called as runc, and calls it.
func shim(args []string) error {
	task, err := readTask(os.Args[0] + ".json")
	if err != nil {
		return fmt.Errorf("finding runc: %w", err)
	}
	for i, a := range args {
		if a == "--bundle" && i+1 < len(args) {
			if err := task.edit(filepath.Join(args[i+1], "config.json")); err != nil {
				return fmt.Errorf("editing the container's configuration: %w", err)
			}
		}
	}
	argv := append([]string{"runc"}, args...)
	if !task.EndAll || !slices.Contains(args, "run") {
		return syscall.Exec(task.Runc, argv, os.Environ())
	}
	runc, err := startChild(task.Runc, argv, 0, 1, 2)
	if err != nil {
		return fmt.Errorf("starting runc: %w", err)
	}
	status := awaitChild(runc)
	endAll()
	return exitStatus(status)
}

func readTask(path string) (task shimTask, err error) {
	b, err := os.ReadFile(path)
	if err == nil {
		err = json.Unmarshal(b, &task)
	}
	return task, err
}

// installShim makes this program callable as runc and returns the path for it.
func installShim(root string, task shimTask) (string, error) {
	path := filepath.Join(runDir(root), shimName)
	self, err := os.Executable()
	if err != nil {
		return "", err
	}
	b, err := json.Marshal(task)
	if err != nil {
		return "", err
	}
	if err := os.WriteFile(path+".json", b, 0o600); err != nil {
		return "", err
	}
	return path, os.Symlink(self, path)
}

// edit changes the configuration at path in place and keeps unknown members.
func (t shimTask) edit(path string) error {
	if !t.DropPtsGroup && !t.DropHostname {
		return nil
	}
	b, err := os.ReadFile(path)
	if err == nil && t.DropPtsGroup {
		b, err = withoutPtsGroup(b)
	}
	if err == nil && t.DropHostname {
		b, err = withoutHostname(b)
	}
	if err != nil {
		return err
	}
	return os.WriteFile(path, b, 0o600)
}

func withoutHostname(b []byte) ([]byte, error) {
	var spec map[string]json.RawMessage
	if err := json.Unmarshal(b, &spec); err != nil {
		return nil, err
	}
	delete(spec, "hostname")
	return json.Marshal(spec)
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
