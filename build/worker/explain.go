package worker

import (
	"errors"
	"strings"
	"syscall"

	"mtool/build/advice"
)

// setting is a kernel setting that forbids user namespaces if it has the value.
type setting struct {
	name, value string
	advice      advice.Advice
}

func forbidding() []setting {
	return []setting{
		{"kernel.apparmor_restrict_unprivileged_userns", "1", advice.Of(advice.AppArmor)},
		{"kernel.unprivileged_userns_clone", "0", advice.Of(advice.KernelSetting, "kernel.unprivileged_userns_clone", "1")},
		{"user.max_user_namespaces", "0", advice.Of(advice.KernelSetting, "user.max_user_namespaces", "15000")},
	}
}

// explain turns the kernel's refusal to create or use namespaces into an error that names the reason.
func explain(doing string, err error, here confinement) error {
	e := &Error{Doing: doing, Err: err}
	if f, ok := errors.AsType[*failure](err); ok {
		e.Advice = f.Advice
	}
	if refused(err) && e.IsZero() {
		var why string
		why, e.Advice = here.why(err)
		e.Err = &forbiddenError{err, why}
	}
	return e
}

// why finds what refuses, the most specific first.
func (p confinement) why(err error) (why string, next advice.Advice) {
	for _, s := range forbidding() {
		if strings.TrimSpace(p.read("sys/"+strings.ReplaceAll(s.name, ".", "/"))) == s.value {
			return "user namespaces are forbidden here: " + s.name + " is " + s.value, s.advice
		}
	}
	what := "user namespaces"
	if _, inside := errors.AsType[*failure](err); inside {
		what = "mounts in a user namespace"
	} else if p.probe() == nil {
		// It can be created, so mapping ids into it failed.
		if missing := p.missingCaps(); p.root && len(missing) > 0 {
			return "root has lost the capabilities " + strings.Join(missing, ", ") + ", without which no ids can be mapped",
				advice.Of(advice.MapCapabilities)
		}
		what = "mapping ids into a user namespace"
	}
	switch profile := p.appArmor(); {
	case p.chrooted():
		return what + " are forbidden here: Linux has none for a process in a chroot",
			advice.Say("run mtool outside of the chroot").Or(advice.OtherWorker)
	case p.filtered():
		return what + " are forbidden here by a seccomp filter (unshare, clone, mount), as containers have by default",
			advice.Of(advice.OpenContainer)
	case profile != "":
		return what + " are forbidden here by the AppArmor profile " + profile,
			advice.Of(advice.OpenContainer)
	}
	return what + " are forbidden here: no setting of this kernel explains it",
		advice.Say("run mtool elsewhere").Or(advice.OtherWorker)
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
