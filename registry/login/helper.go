package login

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"time"

	"github.com/docker/docker-credential-helpers/client"
	"github.com/docker/docker-credential-helpers/credentials"

	"mtool/registry"
)

// errNoHelper is a helper that is not in PATH.
var errNoHelper = errors.New("not in PATH")

// helperError returns the error of a helper that failed with err. doing is what it was to do with the login of host.
func helperError(doing, name, path, host string, err error) error {
	program := "docker-credential-" + name
	if errors.Is(err, errNoHelper) {
		return MissingHelper{program, path, host}
	}
	return fmt.Errorf("%s the login of %q with %s (named in %s): %w", doing, host, program, path, err)
}

// runHelper asks docker-credential-NAME about one server:
// https://github.com/docker/docker-credential-helpers#development
func runHelper(ctx context.Context, name, server string) (Auth, error) {
	p := &helperProgram{ctx: ctx, name: "docker-credential-" + name}
	found, err := client.Get(func(args ...string) client.Program { p.args = args; return p }, server)
	switch {
	case errors.Is(p.err, exec.ErrNotFound):
		return Auth{}, errNoHelper
	case credentials.IsErrCredentialsNotFound(err):
		return Auth{}, errNoEntry
	case err != nil && p.err == nil:
		// Not wrapped: the decoder's error may quote the answer.
		return Auth{}, errors.New("its answer is not the JSON of a credential helper")
	case err != nil:
		return Auth{}, p.failure()
	case found.Username == "<token>":
		return Auth{IdentityToken: found.Secret}, nil
	case found.Username == "" && found.Secret == "":
		return Auth{}, errNoEntry
	}
	return Auth{Username: found.Username, Password: found.Secret}, nil
}

// storeInHelper stores the login of one server with a helper.
func storeInHelper(ctx context.Context, name, server string, auth Auth) error {
	p := &helperProgram{ctx: ctx, name: "docker-credential-" + name}
	login := &credentials.Credentials{ServerURL: server, Username: auth.Username, Secret: auth.Password}
	if auth.IdentityToken != "" {
		login.Username, login.Secret = "<token>", auth.IdentityToken
	}
	err := client.Store(func(args ...string) client.Program { p.args = args; return p }, login)
	return p.explain(err)
}

// eraseInHelper removes the logins of the servers, which are spellings of one, and reports whether there were any.
func eraseInHelper(ctx context.Context, name string, servers []string) (erased bool, err error) {
	for _, server := range servers {
		_, err := runHelper(ctx, name, server)
		if errors.Is(err, errNoEntry) {
			continue
		}
		p := &helperProgram{ctx: ctx, name: "docker-credential-" + name}
		err = client.Erase(func(args ...string) client.Program { p.args = args; return p }, server)
		if err = p.explain(err); err != nil {
			return erased, err
		}
		erased = true
	}
	return erased, nil
}

// explain returns why a store or an erase failed.
func (p *helperProgram) explain(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(p.err, exec.ErrNotFound):
		return errNoHelper
	case p.err == nil:
		return err
	}
	return p.failure()
}

// helperProgram is one run of a helper, which ends with ctx.
type helperProgram struct {
	ctx    context.Context //nolint:containedctx // the library's interface has no room for it
	name   string
	args   []string
	input  io.Reader
	stderr bytes.Buffer
	out    []byte
	err    error
}

func (p *helperProgram) Input(in io.Reader) { p.input = in }

func (p *helperProgram) Output() ([]byte, error) {
	cmd := exec.CommandContext(p.ctx, p.name, p.args...)
	cmd.Stdin, cmd.Stderr, cmd.Env = p.input, &p.stderr, os.Environ()
	cmd.WaitDelay = time.Second // processes that it has started may hold its output open
	p.out, p.err = cmd.Output()
	return p.out, p.err
}

// failure returns the helper's own message, which it writes to either output.
func (p *helperProgram) failure() error {
	text := registry.OneLine(p.stderr.String())
	if text == "" {
		text = registry.OneLine(string(p.out))
	}
	return fmt.Errorf("%w: %s", p.err, text)
}
