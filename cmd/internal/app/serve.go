package app

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net"

	"mtool/registry"
	"mtool/registry/serve"
)

// ServeOptions say where the store is served.
type ServeOptions struct {
	Listen string // HOST:PORT; port 0 is a free one
	Auth   bool   // ask for a password; addresses other than loopback ones demand it
	// Ready is told once that clients may come.
	Ready func(Served)
}

// Served is the registry as clients find it; Password is "" where none is asked for.
type Served struct {
	Host               string
	Username, Password string
	Names              []string // "demo:v1"
}

// Serve shows the store as a read-only registry until ctx ends, which is no error.
func (e *Env) Serve(ctx context.Context, o ServeOptions) error {
	local, err := loopback(o.Listen)
	if err != nil {
		return err
	}
	if !local && !o.Auth {
		return registry.WithHint(
			registry.Usagef("serving at %q: others than this machine could read the store without a password", o.Listen),
			"add --auth",
		)
	}
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", o.Listen)
	if err != nil {
		return fmt.Errorf("serving the store: %w", err)
	}
	served := Served{Host: l.Addr().String()}
	options := serve.Options{}
	if local {
		options.Hosts = hostsOf(served.Host)
	}
	if o.Auth {
		served.Username, served.Password = "mtool", rand.Text()
		options.Username, options.Password = served.Username, served.Password
	}
	server := serve.New(e.Store, options)
	if served.Names, err = server.Names(ctx); err != nil {
		return errors.Join(err, l.Close())
	}
	o.Ready(served)
	return serve.Run(ctx, l, server)
}

// loopback reports whether only this machine can reach the address.
func loopback(listen string) (bool, error) {
	host, _, err := net.SplitHostPort(listen)
	if err != nil {
		return false, registry.WithHint(registry.Usagef("serving at %q: no HOST:PORT", listen), "--listen 127.0.0.1:5000")
	}
	return host == "localhost" || net.ParseIP(host).IsLoopback(), nil
}

// hostsOf are the names of one loopback address.
func hostsOf(addr string) []string {
	_, port, err := net.SplitHostPort(addr)
	if err != nil {
		return []string{addr}
	}
	hosts := []string{"127.0.0.1:" + port, "localhost:" + port, "[::1]:" + port}
	if addr != hosts[0] && addr != hosts[2] {
		hosts = append(hosts, addr) // 127.0.0.2
	}
	return hosts
}
