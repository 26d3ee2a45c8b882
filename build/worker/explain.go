package worker

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"mtool/build"
)

// setting is a kernel setting that forbids user namespaces when it has the value.
type setting struct{ name, value, hint string }

func forbidding() []setting {
	return []setting{
		{
			"kernel.apparmor_restrict_unprivileged_userns", "1",
			"as root: sysctl -w kernel.apparmor_restrict_unprivileged_userns=0 (or the profile that this prints: mtool workers --apparmor-profile)",
		},
		{"kernel.unprivileged_userns_clone", "0", "as root: sysctl -w kernel.unprivileged_userns_clone=1"},
		{"user.max_user_namespaces", "0", "as root: sysctl -w user.max_user_namespaces=15000"},
	}
}

// explain turns a refusal of the kernel to make or to use namespaces into an error that names the setting behind it.
// settings is the root of the sysctl files, /proc/sys.
func explain(doing string, err error, settings string) error {
	e := &build.WorkerError{Doing: doing, Err: err}
	if f, ok := errors.AsType[*failure](err); ok {
		e.Next = f.Hint
	}
	if !refused(err) || e.Next != "" {
		return e
	}
	for _, s := range forbidding() {
		path := filepath.Join(settings, strings.ReplaceAll(s.name, ".", "/"))
		if b, readErr := os.ReadFile(path); readErr == nil && strings.TrimSpace(string(b)) == s.value {
			e.Err = &forbiddenError{err, s.name + " is " + s.value}
			e.Next = s.hint
			return e
		}
	}
	e.Err = &forbiddenError{err, "no setting of this kernel explains it; a container's seccomp or AppArmor profile may"}
	e.Next = "run mtool outside of the container, or use another worker: --worker ADDRESS"
	return e
}

func refused(err error) bool {
	if f, ok := errors.AsType[*failure](err); ok {
		return f.Denied
	}
	for _, no := range []error{syscall.EPERM, syscall.EACCES, syscall.ENOSPC, syscall.EUSERS} {
		if errors.Is(err, no) {
			return true
		}
	}
	return false
}

// forbiddenError adds the reason to what the kernel said.
type forbiddenError struct {
	err error
	why string
}

func (e *forbiddenError) Error() string {
	return "user namespaces are forbidden here: " + e.why + ": " + e.err.Error()
}
func (e *forbiddenError) Unwrap() error { return e.err }
