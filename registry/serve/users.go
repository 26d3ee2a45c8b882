package serve

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"crypto/subtle"
	"fmt"
	"net/http"
	"strings"
	"sync"

	"golang.org/x/crypto/bcrypt"

	"mtool/registry"
)

// Users holds those who may connect. A nil *Users requires no login.
type Users struct {
	secrets map[string]string // password, or its bcrypt hash, by name
	hashing sync.Mutex        // one hash at a time, since each takes a processor for a while
	proven  sync.Map          // hash of name and password that bcrypt has accepted
}

// OneUser returns one user with a password.
func OneUser(name, password string) *Users {
	return &Users{secrets: map[string]string{name: password}}
}

// ParseUsers reads lines NAME:PASSWORD. In place of the password may be its bcrypt hash, as htpasswd -B writes it.
// Empty lines and those that begin with # are left out. Errors show no line, which may hold a password.
func ParseUsers(data []byte) (*Users, error) {
	u := &Users{secrets: map[string]string{}}
	lines := bufio.NewScanner(bytes.NewReader(data))
	for n := 1; lines.Scan(); n++ {
		line := strings.TrimSpace(lines.Text())
		if line == "" || line[0] == '#' {
			continue
		}
		name, secret, ok := strings.Cut(line, ":")
		_, twice := u.secrets[name]
		switch {
		case !ok || name == "" || secret == "":
			return nil, registry.Usagef("line %d is not NAME:PASSWORD", n)
		case twice:
			return nil, registry.Usagef("line %d names %q again", n, name)
		case strings.HasPrefix(secret, "$apr1$") || strings.HasPrefix(secret, "{SHA}"):
			return nil, registry.WithHint(registry.Usagef("line %d has a hash that is not bcrypt's", n),
				"let htpasswd hash it with bcrypt")
		case hashed(secret):
			if _, err := bcrypt.Cost([]byte(secret)); err != nil {
				return nil, registry.Usagef("line %d has a damaged bcrypt hash", n)
			}
		}
		u.secrets[name] = secret
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("reading users: %w", err)
	}
	if len(u.secrets) == 0 {
		return nil, registry.Usagef("no line has a user")
	}
	return u, nil
}

func hashed(secret string) bool { return strings.HasPrefix(secret, "$2") }

// admits reports whether the credentials of a request match.
func (u *Users) admits(r *http.Request) bool {
	if u == nil {
		return true
	}
	name, password, _ := r.BasicAuth()
	secret, known := u.secrets[name]
	if !hashed(secret) {
		return same(name+":"+password, name+":"+secret) && known
	}
	key := sha256.Sum256([]byte(name + ":" + password))
	if _, ok := u.proven.Load(key); ok {
		return true
	}
	u.hashing.Lock()
	defer u.hashing.Unlock()
	if bcrypt.CompareHashAndPassword([]byte(secret), []byte(password)) != nil {
		return false
	}
	u.proven.Store(key, true)
	return true
}

// same compares hashes, which takes equally long for every guess.
func same(a, b string) bool {
	got, want := sha256.Sum256([]byte(a)), sha256.Sum256([]byte(b))
	return subtle.ConstantTimeCompare(got[:], want[:]) == 1
}
