package login

import (
	"errors"
	"fmt"

	"mtool/registry"
)

// Auth holds the credentials for a registry; the zero value is anonymous. Its fields are secrets: print Who, never the
// value.
type Auth struct {
	Username, Password string
	// IdentityToken is an OAuth2 refresh token, which a token server exchanges for a bearer token.
	IdentityToken string
	// RegistryToken is a bearer token, sent unchanged.
	RegistryToken string
	// From is where it was found, for messages: the file, or the helper and the file that names it. When nothing was
	// found it lists what was searched.
	From string
	// Missing is a helper that was passed over because it is not in PATH; zero: none was.
	Missing MissingHelper
}

// Anonymous reports whether there is neither a password nor a token.
func (a Auth) Anonymous() bool {
	return a.Username == "" && a.IdentityToken == "" && a.RegistryToken == ""
}

// Who describes the login and where it was found, without secrets: "logged in as \"bob\" by …/config.json".
func (a Auth) Who(host string) string {
	if a.Missing != (MissingHelper{}) {
		return a.account(host) + "; " + a.Missing.Error()
	}
	return a.account(host)
}

func (a Auth) account(host string) string {
	switch {
	case a.Anonymous() && a.From == "":
		return "no credentials for " + host
	case a.Anonymous():
		return fmt.Sprintf("no credentials for %s in %s", host, a.From)
	case a.RegistryToken != "", a.IdentityToken != "", a.Password == "", a.Password == "x-oauth-basic":
		return "logged in with a token" + origin(" of ", a.From)
	}
	return fmt.Sprintf("logged in as %q", registry.OneLine(a.Username)) + origin(" by ", a.From)
}

// origin returns "" for a login that is only being tried.
func origin(word, from string) string {
	if from == "" {
		return ""
	}
	return word + from
}

var errNoEntry = errors.New("no entry")

// MissingHelper is the error of a credential helper that a file names and that is not in PATH.
type MissingHelper struct {
	Program string // "docker-credential-desktop"
	File    string // the file that names it
	Host    string // the registry that it was needed for
}

func (m MissingHelper) Error() string {
	return fmt.Sprintf("credential helper %s is not in PATH (named in %s for %s)", m.Program, m.File, m.Host)
}

// Hint implements registry.Hinter.
func (m MissingHelper) Hint() string {
	return fmt.Sprintf("install %s, or take it out of %s", m.Program, m.File)
}
