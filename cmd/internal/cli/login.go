package cli

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"mtool/cmd/internal/print"
	"mtool/registry/login"
)

const loginLong = `Log in to a registry; without HOST, to Docker Hub. The user name and password are saved only if the registry accepts them.

They are saved where docker saves them: in the file that REGISTRY_AUTH_FILE names, or else in docker's config.json
(DOCKER_CONFIG), by the credential helper that this file names for the host (credHelpers), or for all (credsStore). The
rest of the file stays as it is. docker, buildx, crane, regctl and, with REGISTRY_AUTH_FILE, podman read the
same. The variable DOCKER_AUTH_CONFIG, which holds the JSON of such a file, takes precedence; login does not change it.

--identity-token-stdin takes an OAuth2 refresh token instead of a password.`

type loginFlags struct {
	username      string
	password      bool
	identityToken bool
}

func (a *application) loginCommand() *cobra.Command {
	var f loginFlags
	cmd := &cobra.Command{
		Use:     "login [HOST]",
		Short:   "Log in to a registry",
		Long:    loginLong,
		Example: "  mtool login registry.example.com\n  echo \"$PASSWORD\" | mtool login registry.example.com -u bob --password-stdin",
		Args:    atMostOneHost,
		RunE: func(cmd *cobra.Command, args []string) error {
			host, err := hostOf(args)
			if err != nil {
				return err
			}
			auth, err := a.readAuth(cmd.Context(), host, f)
			if err != nil {
				return err
			}
			env, err := a.env()
			if err != nil {
				return err
			}
			return env.Login(cmd.Context(), host, auth)
		},
	}
	fl := cmd.Flags()
	fl.StringVarP(&f.username, "username", "u", "", "user `NAME`")
	fl.BoolVar(&f.password, "password-stdin", false, "read the password from standard input")
	fl.BoolVar(&f.identityToken, "identity-token-stdin", false,
		"read an identity token from standard input\nan OAuth2 refresh token")
	return cmd
}

func (a *application) logoutCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "logout [HOST]",
		Short: "Forget the login of a registry",
		Long: `Forget what mtool login or docker login saved for HOST (default: Docker Hub). It is no error if there is none. A login that
another file still has is reported.`,
		Example: "  mtool logout registry.example.com",
		Args:    atMostOneHost,
		RunE: func(cmd *cobra.Command, args []string) error {
			host, err := hostOf(args)
			if err != nil {
				return err
			}
			env, err := a.env()
			if err != nil {
				return err
			}
			return env.Logout(cmd.Context(), host)
		},
	}
}

func atMostOneHost(cmd *cobra.Command, args []string) error {
	if len(args) > 1 {
		return usagef("mtool "+cmd.Name()+" HOST", "one registry at a time, %d given", len(args))
	}
	return nil
}

func hostOf(args []string) (string, error) {
	host, err := login.ParseHost(strings.Join(args, ""))
	return host, badInput(err)
}

// readAuth takes the password from standard input, or asks for it where that is a terminal; never from the command
// line, which every user of the machine can read.
func (a *application) readAuth(ctx context.Context, host string, f loginFlags) (auth login.Auth, err error) {
	terminal, isTerminal := a.In.(*os.File)
	isTerminal = isTerminal && term.IsTerminal(int(terminal.Fd()))
	usage := "mtool login " + host + " -u NAME --password-stdin"
	switch {
	case f.password && f.identityToken:
		return auth, usagef(usage, "--password-stdin and --identity-token-stdin both read standard input")
	case f.identityToken:
		auth.IdentityToken, err = readSecret(a.In)
		return auth, err
	case f.username == "" && (f.password || !isTerminal):
		return auth, usagef(usage, "no user name given")
	case f.password:
		auth.Username = f.username
		auth.Password, err = readSecret(a.In)
		return auth, err
	case !isTerminal:
		return auth, usagef(usage, "no password given, and standard input is no terminal to ask at")
	}
	return a.prompt(ctx, terminal, host, f.username)
}

// maxSecret is far over any token.
const maxSecret = 64 << 10

func readSecret(r io.Reader) (string, error) {
	data, err := io.ReadAll(io.LimitReader(r, maxSecret+1))
	secret := strings.TrimRight(string(data), "\r\n")
	switch {
	case err != nil:
		return "", fmt.Errorf("reading the password from standard input: %w", err)
	case secret == "":
		return "", usagef("", "standard input holds no password")
	case len(data) > maxSecret || strings.ContainsAny(secret, "\r\n"):
		return "", usagef("", "standard input holds more than one line")
	}
	return secret, nil
}

// prompt asks at the terminal, whose settings it restores when it is interrupted.
func (a *application) prompt(ctx context.Context, terminal *os.File, host, username string) (login.Auth, error) {
	state, err := term.GetState(int(terminal.Fd()))
	if err != nil {
		return login.Auth{}, err
	}
	type answer struct {
		auth login.Auth
		err  error
	}
	got := make(chan answer, 1)
	defer a.board.Rest()()
	go func() {
		auth, err := ask(terminal, a.Err, host, username)
		got <- answer{auth, err}
	}()
	select {
	case x := <-got:
		return x.auth, x.err
	case <-ctx.Done():
		_ = term.Restore(int(terminal.Fd()), state)
		print.Println(a.Err, "")
		return login.Auth{}, context.Cause(ctx)
	}
}

func ask(terminal *os.File, out io.Writer, host, username string) (login.Auth, error) {
	if username == "" {
		print.Text(out, "user name at "+print.Line(host)+": ")
		line, err := bufio.NewReader(terminal).ReadString('\n')
		if err != nil {
			return login.Auth{}, fmt.Errorf("reading the user name: %w", err)
		}
		username = strings.TrimSpace(line)
	}
	print.Text(out, "password of "+print.Line(username)+" at "+print.Line(host)+": ")
	password, err := term.ReadPassword(int(terminal.Fd()))
	print.Println(out, "")
	if err != nil {
		return login.Auth{}, fmt.Errorf("reading the password: %w", err)
	}
	if username == "" || len(password) == 0 {
		return login.Auth{}, usagef("", "no user name or no password given")
	}
	return login.Auth{Username: username, Password: string(password)}, nil
}
