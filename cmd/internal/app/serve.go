package app

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"strings"
	"syscall"

	"mtool/inspect"
	"mtool/registry"
	"mtool/registry/regular"
	"mtool/registry/serve"
)

// ServeOptions are the options of Serve.
type ServeOptions struct {
	// Listen is HOST:PORT; port 0 means a free one. "" means 127.0.0.1, with port 5000 if Writable, else with a free port.
	Listen string
	// Auth makes up a password that clients need; UsersFile has users and passwords. One of them is required for addresses
	// that are not loopback ones.
	Auth      bool
	UsersFile string
	Writable  bool  // let clients push and delete
	MaxBlob   int64 // bytes of an uploaded blob; 0 means no limit
	// Ready is called once the server accepts connections.
	Ready func(Served)
}

// Served is how clients reach the server. Password is "" unless it was made up.
type Served struct {
	Host               string
	Username, Password string
	Names              []string // "demo:v1"
}

// Serve serves the store as a registry until ctx ends, which is no error.
func (e *Env) Serve(ctx context.Context, o ServeOptions) error {
	if o.Listen == "" {
		o.Listen = "127.0.0.1:0"
		if o.Writable {
			o.Listen = "127.0.0.1:5000" // a fixed port, since clients push to it
		}
	}
	served, options, err := guards(ctx, o)
	if err != nil {
		return err
	}
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", o.Listen)
	if errors.Is(err, syscall.EADDRINUSE) {
		err = registry.WithHint(err, "use another port: --listen 127.0.0.1:0 takes a free one")
	}
	if err != nil {
		return fmt.Errorf("serving the store: %w", err)
	}
	served.Host = l.Addr().String()
	if local, err := loopback(o.Listen); err == nil && local {
		options.Hosts = serve.LoopbackHosts(served.Host)
	}
	options.OnEvent = func(event serve.Event) { e.note("%s", eventLine(served.Host, event)) }
	server := serve.New(e.Store, options)
	if served.Names, err = server.Names(ctx); err != nil {
		return errors.Join(err, l.Close())
	}
	o.Ready(served)
	return errors.Join(serve.Run(ctx, l, server), server.Close())
}

// eventLine is a line of the log: what a client did, and to what.
func eventLine(host string, event serve.Event) string {
	line := fmt.Sprintf("%s %s/%s", event.Action, host, event.Name)
	if digest := event.Digest.String(); !strings.HasSuffix(event.Name, digest) {
		line += ", " + digest
	}
	if event.Action == serve.Deleted {
		return line
	}
	return line + ", " + inspect.Bytes(event.Size)
}

// guards returns the options that decide which clients may connect.
func guards(ctx context.Context, o ServeOptions) (Served, serve.Options, error) {
	var served Served
	options := serve.Options{Writable: o.Writable, MaxBlob: o.MaxBlob}
	local, err := loopback(o.Listen)
	switch {
	case err != nil:
		return served, options, err
	case o.Auth && o.UsersFile != "":
		return served, options, registry.Usagef(
			"serving at %q: choose either a made-up password or those of %q", o.Listen, o.UsersFile)
	case o.UsersFile != "":
		data, err := regular.ReadTyped(ctx, o.UsersFile, maxUsersFile)
		if err == nil {
			options.Users, err = serve.ParseUsers(data)
		}
		if err != nil {
			return served, options, registry.Usagef("reading users from %q: %w", o.UsersFile, err)
		}
	case o.Auth:
		served.Username, served.Password = "mtool", rand.Text()
		options.Users = serve.OneUser(served.Username, served.Password)
	case !local:
		can := "read"
		if o.Writable {
			can = "read and change"
		}
		return served, options, registry.WithHint(
			registry.Usagef("serving at %q: other machines could %s the store without a password", o.Listen, can),
			"add --auth, which makes up a password, or --auth-file FILE with lines USER:PASSWORD",
		)
	}
	return served, options, nil
}

// maxUsersFile bounds the bytes of a file of users.
const maxUsersFile = 1 << 20

// loopback reports whether only this machine can reach the address.
func loopback(listen string) (bool, error) {
	host, _, err := net.SplitHostPort(listen)
	if err != nil {
		return false, registry.WithHint(registry.Usagef("serving at %q: no HOST:PORT", listen), "--listen 127.0.0.1:5000")
	}
	return host == "localhost" || net.ParseIP(host).IsLoopback(), nil
}
