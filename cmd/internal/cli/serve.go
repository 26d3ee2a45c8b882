package cli

import (
	"github.com/spf13/cobra"

	"mtool/cmd/internal/app"
	"mtool/cmd/internal/print"
)

const serveLong = `Serve the local store as a registry, read-only, until it is interrupted (exit code 0): docker, podman, crane and clusters on
this machine pull from it, each the image of its platform.

The address goes to standard output. demo:v1 of the store is HOST/demo:v1; an image of another registry has that registry's
name in front (HOST/ghcr.io/team/app:v1), which may be left out where only one image has the path.

It listens on 127.0.0.1 and a free port; requests that name another host are refused, so that pages of the web can't reach
it. --auth asks for the user mtool and a random password, which is printed on standard error; addresses that others can
reach demand it. There is no TLS: clients must be told so (docker's insecure-registries, podman's --tls-verify=false), save
for loopback addresses, where docker, crane and mtool know.

Nothing that is damaged in the store is served as if it were whole: such an answer is an error, or breaks off before its end. A
client that takes in less than 32 KiB in half a minute is given up.`

func (a *application) serveCommand() *cobra.Command {
	o := app.ServeOptions{Ready: a.ready}
	cmd := &cobra.Command{
		Use:     "serve",
		Short:   "Serve the local store as a read-only registry",
		Long:    serveLong,
		Example: "  mtool serve\n  mtool serve --listen 127.0.0.1:5000\n  mtool serve --listen 0.0.0.0:5000 --auth",
		Args:    exactly(0, "mtool serve [--listen HOST:PORT]"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			env, err := a.env()
			if err != nil {
				return err
			}
			return env.Serve(cmd.Context(), o)
		},
	}
	cmd.Flags().StringVar(&o.Listen, "listen", "127.0.0.1:0", "`HOST:PORT` to listen on; port 0 is a free one")
	cmd.Flags().BoolVar(&o.Auth, "auth", false, "ask for a password, which is made up and printed")
	return cmd
}

// ready prints the address alone on standard output. The password is said even with --quiet: nobody could come in without.
func (a *application) ready(s app.Served) {
	if s.Password != "" {
		print.Println(a.Err, "user "+s.Username+", password "+s.Password)
	}
	for _, name := range s.Names {
		a.note("serving " + s.Host + "/" + name)
	}
	if len(s.Names) == 0 {
		a.note("the store is empty; what is built or loaded from now on is served")
	}
	print.Println(a.Out, s.Host)
}
