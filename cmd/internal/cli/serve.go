package cli

import (
	"github.com/spf13/cobra"

	"mtool/cmd/internal/app"
	"mtool/cmd/internal/print"
)

const serveLong = `Serve the local store as a registry until it is interrupted (exit code 0): docker, podman, crane and clusters on
this machine pull from it, each the image of its platform. With --writable they push to it too, and delete.

The address goes to standard output. demo:v1 of the store is HOST/demo:v1; an image of another registry has that
registry's name in front (HOST/ghcr.io/team/app:v1), which may be left out where only one image has the path. What is
pushed to HOST/demo:v1 is demo:v1 of the store from then on, replaces what had that name, and is a base for builds; a
manifest that lost its tag stays under its digest (mtool ls, mtool rm).

It listens on 127.0.0.1, on a free port or, with --writable, on port 5000. Requests for another host name are refused,
so that web pages can't reach it. An address that others can reach needs a password: --auth makes one up for the user
mtool and prints it on standard error; --auth-file has lines USER:PASSWORD, or hashes as htpasswd -B writes them. There
is no TLS, so clients need a setting (docker's insecure-registries, podman's --tls-verify=false), except for loopback
addresses with docker, crane and mtool.

Damaged content is never served as if it were whole: the answer is an error, or breaks off before its end. A client that
takes or sends less than 32 KiB in half a minute is disconnected. A broken upload can be continued for an hour. Blobs
that belong to
no image are deleted after a day, and when the server ends.`

func (a *application) serveCommand() *cobra.Command {
	o := app.ServeOptions{Ready: a.ready}
	var most string
	cmd := &cobra.Command{
		Use:   "serve",
		Short: "Serve the local store as a registry",
		Long:  serveLong,
		Example: "  mtool serve\n  mtool serve --writable\n  mtool serve --listen 127.0.0.1:5001\n" +
			"  mtool serve --writable --listen 0.0.0.0:5000 --auth-file users",
		Args: exactly(0, "mtool serve [--writable] [--listen HOST:PORT]"),
		RunE: func(cmd *cobra.Command, _ []string) (err error) {
			if o.MaxBlob, err = parseSize("--max-blob", most); err != nil {
				return err
			}
			if most != "" && !o.Writable {
				return usagef("add --writable", "--max-blob limits uploads, and this registry takes none")
			}
			env, err := a.env()
			if err != nil {
				return err
			}
			a.board.Patient()
			return env.Serve(cmd.Context(), o)
		},
	}
	fl := cmd.Flags()
	fl.StringVar(&o.Listen, "listen", "",
		"listen on `HOST:PORT`; port 0 is a free one\nby default 127.0.0.1:0, with --writable 127.0.0.1:5000")
	fl.BoolVar(&o.Writable, "writable", false, "let clients push and delete")
	fl.BoolVar(&o.Auth, "auth", false, "ask for a password, which is made up and printed")
	fl.StringVar(&o.UsersFile, "auth-file", "",
		"ask for a user and password of this `FILE`\nlines USER:PASSWORD, or hashes of htpasswd -B")
	fl.StringVar(&most, "max-blob", "",
		"refuse uploads of blobs over this `SIZE`, as in 10GB\nby default what the disk holds")
	return cmd
}

// ready prints the address alone on standard output. The password is printed even with --quiet: nobody could log in
// without.
func (a *application) ready(s app.Served) {
	if s.Password != "" {
		print.Println(a.Err, "user "+s.Username+", password "+s.Password)
	}
	for _, name := range s.Names {
		a.note("serving " + s.Host + "/" + name)
	}
	if len(s.Names) == 0 {
		a.note("the store is empty; what gets into it from now on is served")
	}
	print.Println(a.Out, s.Host)
}
