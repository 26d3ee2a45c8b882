package app

import (
	"context"
	"errors"
	"fmt"

	"mtool/registry"
	"mtool/registry/login"
	"mtool/registry/remote"
)

// Login tries auth at the host. If it works, Login saves it where docker would.
func (e *Env) Login(ctx context.Context, host string, auth login.Auth) error {
	options := e.Transport.Options
	options.Credentials = login.Fixed(host, auth)
	checked, err := remote.NewClient(options).Login(ctx, host)
	if err != nil {
		return err
	}
	where, err := login.Save(ctx, host, auth)
	if err != nil {
		return err
	}
	if !checked {
		e.note("note: %s accepts anonymous users, so the password could not be checked", host)
	}
	e.note("logged in to %s, saved in %s", host, where)
	return nil
}

// Logout removes the login of the host. It is no error if there is none.
func (e *Env) Logout(ctx context.Context, host string) error {
	where, err := login.Remove(ctx, host)
	if err != nil {
		return err
	}
	if where == "" {
		e.note("not logged in to %s", host)
	} else {
		e.note("logged out of %s, removed from %s", host, where)
	}
	logins, err := login.Default()
	if err != nil {
		return err
	}
	if left, err := logins.For(ctx, host, ""); err == nil && !left.Anonymous() {
		e.note("note: still %s", left.Who(host))
	}
	return nil
}

// Access is what a registry permits, and to whom.
type Access struct {
	Repository string
	Who        string
	Push       bool // whether pushing was tried too
}

// AuthCheck checks that ref can be read and, with push, written. If not, the error wraps registry.ErrDenied. Nothing is
// changed: it cancels the upload that it begins.
func (e *Env) AuthCheck(ctx context.Context, ref registry.Ref, push bool) (Access, error) {
	ref = ref.At(registry.TransportRegistry)
	auth, err := e.Logins.For(ctx, ref.Host, ref.Repo)
	if err != nil {
		return Access{}, fmt.Errorf("looking up the login for %q: %w: %w", ref.Repository(), registry.ErrDenied, err)
	}
	scope := remote.Pull
	if push {
		scope = remote.PullPush
	}
	repository := e.Client.Repository(ref, scope)
	if _, err := repository.Resolve(ctx, ref); err != nil && !errors.Is(err, registry.ErrNotFound) {
		return Access{}, err
	}
	if push {
		if err := repository.MayPush(ctx); err != nil {
			return Access{}, err
		}
	}
	return Access{Repository: ref.Repository(), Who: auth.Who(ref.Host), Push: push}, nil
}
