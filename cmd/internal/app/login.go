package app

import (
	"context"
	"errors"
	"fmt"

	"mtool/registry"
	"mtool/registry/login"
	"mtool/registry/remote"
)

// Login tries auth at the host and, when it is right, keeps it where docker would. Nothing is kept otherwise.
func (e *Env) Login(ctx context.Context, host string, auth login.Auth) error {
	options := e.Transport.Options
	options.Credentials = login.Fixed(host, auth)
	asked, err := remote.NewClient(options).Login(ctx, host)
	if err != nil {
		return err
	}
	where, err := login.Save(ctx, host, auth)
	if err != nil {
		return err
	}
	if !asked {
		e.note("note: %s accepts anonymous users, so the password could not be checked", host)
	}
	e.note("logged in to %s, saved in %s", host, where)
	return nil
}

// Logout forgets the login of the host; that there is none is no error.
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
		e.note("note: other files are read too: still %s", left.Who(host))
	}
	return nil
}

// Access is what a registry lets us do, and as whom.
type Access struct {
	Repository string
	Who        string
	Push       bool // push was tried too
}

// AuthCheck asks whether ref may be read and, with push, written. The error wraps registry.ErrDenied when not. Nothing
// is changed: an upload that is begun is given up.
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
