package remote

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"mtool/registry"
	"mtool/registry/login"
)

// fetchToken requests a token from the token server of ch: GET with basic authentication, or OAuth2 with an identity
// token. https://distribution.github.io/distribution/spec/auth/token/ and …/oauth/
func (h *host) fetchToken(ctx context.Context, q request, ch challenge, auth login.Auth, want wanted) (*token, error) {
	e := h.failure(q)
	realm, err := url.Parse(ch.realm)
	if err != nil || realm.Host == "" {
		e.Kind, e.Message = registry.ErrUnavailable, fmt.Sprintf("its token server %q is not an address",
			registry.OneLine(ch.realm))
		return nil, e
	}
	if realm.Scheme != "https" && !h.plain.Load() && !auth.Anonymous() {
		e.Kind = registry.ErrDenied
		e.Message = fmt.Sprintf("its token server %s asks for the password without TLS", realm.Host)
		return nil, e
	}
	list := want.scopes.strings()
	for scope := range strings.FieldsSeq(want.extra) {
		if !slices.Contains(list, scope) {
			list = append(list, scope)
		}
	}
	r, err := tokenRequest(ctx, realm, ch.service, list, auth)
	if err != nil {
		return nil, e.broke(ctx, h.name, err)
	}
	h.sign(r)
	h.client.explain("asking %s for a token: %s", realm.Host, strings.Join(list, " "))
	t, err := h.client.ask(r, e)
	if err != nil {
		return nil, explainToken(err, realm.Host, auth, h.name)
	}
	t.scopes, t.auth = want.scopes, auth
	return t, nil
}

func tokenRequest(
	ctx context.Context, realm *url.URL, service string, list []string, auth login.Auth,
) (*http.Request, error) {
	if auth.IdentityToken != "" {
		form := url.Values{
			"grant_type": {"refresh_token"}, "refresh_token": {auth.IdentityToken},
			"service": {service}, "client_id": {"mtool"}, "scope": {strings.Join(list, " ")},
		}
		r, err := http.NewRequestWithContext(ctx, http.MethodPost, realm.String(), strings.NewReader(form.Encode()))
		if err == nil {
			r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		}
		return r, err
	}
	at := *realm
	query := at.Query()
	if service != "" {
		query.Set("service", service)
	}
	for _, scope := range list {
		query.Add("scope", scope)
	}
	at.RawQuery = query.Encode()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, at.String(), nil)
	if err == nil && auth.Username != "" {
		r.Header.Set("Authorization", basic(auth))
	}
	return r, err
}

// ask sends a token request; e becomes its failure.
func (c *Client) ask(r *http.Request, e *Error) (*token, error) {
	ctx := r.Context()
	if err := c.acquire(ctx); err != nil {
		return nil, e.interrupted(ctx)
	}
	defer c.release()
	asked := time.Now()
	_, waiting := registry.Begin(ctx, registry.Work{Doing: "asking for a token", Name: r.URL.Host})
	defer waiting.End(registry.Present, nil)
	resp, err := c.do(r)
	if err != nil {
		return nil, e.broke(ctx, r.URL.Host, err)
	}
	defer drain(resp.Body)
	if resp.StatusCode != http.StatusOK {
		a := readAnswer(resp)
		e.Status, e.Code, e.Message, e.Kind = resp.StatusCode, a.Code, a.text(), registry.ErrDenied
		if transient(resp.StatusCode) {
			e.Kind, e.again, e.after = registry.ErrUnavailable, true, retryAfter(resp.Header, time.Now())
		}
		return nil, e
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, 1<<20))
	if err != nil {
		return nil, e.broke(ctx, r.URL.Host, err)
	}
	t, err := parseToken(body, asked)
	if err != nil {
		e.Kind, e.Message = registry.ErrUnavailable, err.Error()
		return nil, e
	}
	return t, nil
}

// parseToken reduces the token's lifetime by a tenth, so that it does not expire in transit. It counts from our own
// clock; without a lifetime the specification's 60 seconds apply.
func parseToken(body []byte, asked time.Time) (*token, error) {
	var doc struct {
		Token       string  `json:"token"`
		AccessToken string  `json:"access_token"`
		ExpiresIn   float64 `json:"expires_in"`
	}
	// The decoder's error may quote the token.
	if json.Unmarshal(body, &doc) != nil {
		return nil, fmt.Errorf("the token server's answer is not a token")
	}
	if doc.Token == "" {
		doc.Token = doc.AccessToken
	}
	if doc.Token == "" || strings.ContainsAny(doc.Token, "\r\n") {
		return nil, fmt.Errorf("the token server's answer has no token")
	}
	if doc.ExpiresIn <= 0 {
		doc.ExpiresIn = 60
	}
	life := time.Duration(min(doc.ExpiresIn, 1e6) * 0.9 * float64(time.Second))
	return &token{value: doc.Token, expires: asked.Add(life)}, nil
}

// explainToken adds the token server, often another host, and the origin of the refused credentials.
func explainToken(err error, server string, auth login.Auth, host string) error {
	e, ok := err.(*Error) //nolint:errorlint // made by ask
	if !ok {
		return err
	}
	if e.Kind == registry.ErrDenied && e.Status != 0 { //nolint:errorlint // a kind, never wrapped
		grant{auth: auth, asked: true}.explain(e, host)
	}
	if e.Kind != nil {
		e.Message = strings.TrimSuffix("token server "+server+": "+e.Message, ": ")
	}
	return e
}

func basic(a login.Auth) string {
	return "Basic " + base64.StdEncoding.EncodeToString([]byte(a.Username+":"+a.Password))
}
