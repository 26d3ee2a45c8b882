package testparts

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

const (
	tokenService = "registry.test"
	tokenIssuer  = "mtool-tests"
	tokenKey     = "k1"
)

// tokenServer issues bearer tokens for the distribution project's registry: with the password, for every requested
// scope; without, to pull public/….
//
// https://distribution.github.io/distribution/spec/auth/jwt/
type tokenServer struct {
	url, keys string // its address, and the file with its public keys
	key       *ecdsa.PrivateKey
	registry  *RunningRegistry
	oneScope  bool
}

func startTokenServer(t testing.TB, r *RunningRegistry, oneScope bool) *tokenServer {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	r.IdentityToken = "identity-of-the-tester"
	s := &tokenServer{key: key, registry: r, oneScope: oneScope, keys: filepath.Join(r.dir, "keys.json")}
	point, err := key.PublicKey.Bytes() // 4, x, y
	if err != nil {
		t.Fatal(err)
	}
	public := map[string]string{
		"kty": "EC", "crv": "P-256", "alg": "ES256", "use": "sig", "kid": tokenKey,
		"x": encode(point[1:33]), "y": encode(point[33:]),
	}
	writeFile(t, s.keys, marshal(t, map[string]any{"keys": []any{public}}))
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	s.url = server.URL + "/token"
	return s
}

func marshal(t testing.TB, v any) string {
	t.Helper()
	body, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}

func encode(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

// ServeHTTP answers both kinds of requests: GET with a password, and OAuth2's POST with an identity token.
func (s *tokenServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if err := r.ParseForm(); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	var scopes []string
	for _, line := range r.Form["scope"] {
		scopes = append(scopes, strings.Fields(line)...)
	}
	user, password, named := r.BasicAuth()
	known := user == s.registry.User && password == s.registry.Password ||
		r.Form.Get("grant_type") == "refresh_token" && r.Form.Get("refresh_token") == s.registry.IdentityToken
	switch {
	case named && !known, r.Method == http.MethodPost && !known:
		http.Error(w, `{"details":"incorrect username or password"}`, http.StatusUnauthorized)
		return
	case s.oneScope && len(scopes) > 1:
		http.Error(w, `{"details":"one scope at a time"}`, http.StatusForbidden)
		return
	}
	token, err := s.sign(scopes, known)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	_ = json.NewEncoder(w).Encode(map[string]any{"token": token, "access_token": token, "expires_in": 300})
}

type access struct {
	Type    string   `json:"type"`
	Name    string   `json:"name"`
	Actions []string `json:"actions"`
}

// sign returns a JSON Web Token signed with ES256: the signature is r and s, 32 bytes each.
func (s *tokenServer) sign(scopes []string, known bool) (string, error) {
	granted := []access{}
	for _, scope := range scopes {
		part := strings.Split(scope, ":")
		if len(part) == 3 && (known || strings.HasPrefix(part[1], "public/") && part[2] == "pull") {
			granted = append(granted, access{Type: part[0], Name: part[1], Actions: strings.Split(part[2], ",")})
		}
	}
	now := time.Now()
	header, err := json.Marshal(map[string]string{"typ": "JWT", "alg": "ES256", "kid": tokenKey})
	if err != nil {
		return "", err
	}
	claims, err := json.Marshal(map[string]any{
		"iss": tokenIssuer, "aud": tokenService, "sub": s.registry.User, "access": granted,
		"iat": now.Unix(), "nbf": now.Unix(), "exp": now.Add(5 * time.Minute).Unix(), "jti": rand.Text(),
	})
	if err != nil {
		return "", err
	}
	signed := encode(header) + "." + encode(claims)
	sum := sha256.Sum256([]byte(signed))
	a, b, err := ecdsa.Sign(rand.Reader, s.key, sum[:])
	if err != nil {
		return "", err
	}
	return signed + "." + encode(append(a.FillBytes(make([]byte, 32)), b.FillBytes(make([]byte, 32))...)), nil
}
