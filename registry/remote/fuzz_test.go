package remote

import (
	"bytes"
	"net/http"
	"strings"
	"testing"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"mtool/registry"
)

// FuzzManifest checks that an accepted manifest has the requested digest and size.
func FuzzManifest(f *testing.F) {
	f.Add("application/vnd.oci.image.index.v1+json", []byte(`{"schemaVersion":2,"manifests":[]}`), "", 0)
	f.Add("text/html; charset=utf-8", []byte(`{"config":{}}`),
		"sha256:0000000000000000000000000000000000000000000000000000000000000000", 13)
	f.Add("", []byte(`[`), "sha512:00", -1)
	f.Fuzz(func(t *testing.T, contentType string, body []byte, headerDigest string, size int) {
		h := http.Header{"Content-Type": {contentType}, "Docker-Content-Digest": {headerDigest}}
		m, err := decodeManifest(h, body, v1.Descriptor{Size: int64(size)})
		if err != nil {
			return
		}
		if !bytes.Equal(m.Body, body) || size > 0 && len(body) != size || m.MediaType == "" {
			t.Errorf("got a manifest of %d bytes and type %q for %q", len(m.Body), m.MediaType, body)
		}
		if digest(body) != m.Digest && m.Digest.Algorithm == "sha256" {
			t.Errorf("digest %s for %q", m.Digest, body)
		}
		if want, err := v1.NewHash(headerDigest); err == nil && want != m.Digest {
			t.Errorf("the header has digest %s, and %s was accepted", want, m.Digest)
		}
	})
}

func FuzzReferrers(f *testing.F) {
	f.Add([]byte(`{"manifests":[{"digest":"sha256:0000000000000000000000000000000000000000000000000000000000000000"}]}`))
	f.Add([]byte(`{"manifests":{}}`))
	f.Fuzz(func(_ *testing.T, body []byte) { _, _ = registry.DecodeReferrers(body) })
}

// FuzzChallenge checks that an accepted Bearer challenge has a realm.
func FuzzChallenge(f *testing.F) {
	f.Add(`Bearer realm="https://auth.example/token",service="x",scope="repository:a/b:pull"`)
	f.Add(`Basic realm="a \" b", Bearer realm=x`)
	f.Add(`,bearer realm="`)
	f.Fuzz(func(t *testing.T, value string) {
		c, ok := parseChallenge(http.Header{"Www-Authenticate": {value}})
		if ok && c.bearer && c.realm == "" {
			t.Errorf("Bearer without a realm from %q", value)
		}
	})
}

// FuzzToken checks that a token can be sent in a header and does not expire in the past.
func FuzzToken(f *testing.F) {
	f.Add([]byte(`{"token":"t","expires_in":300}`))
	f.Add([]byte(`{"access_token":"a\r\nHost: x","expires_in":-1e300}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		now := time.Unix(1_700_000_000, 0)
		token, err := parseToken(body, now)
		if err != nil {
			return
		}
		if token.value == "" || strings.ContainsAny(token.value, "\r\n") || token.expires.Before(now) {
			t.Errorf("token %q until %s from %q", token.value, token.expires, body)
		}
	})
}

// FuzzAnswer checks that a registry's message is one short line without control characters.
func FuzzAnswer(f *testing.F) {
	f.Add([]byte(`{"errors":[{"code":"MANIFEST_UNKNOWN","message":"no","detail":{"digest":"sha256:0"}}]}`))
	f.Add([]byte("<html>\x1b[31m"))
	f.Fuzz(func(t *testing.T, body []byte) {
		a := parseAnswer(body)
		if strings.ContainsAny(a.Message, "\n\r\x1b") || len([]rune(a.Message)) > 401 {
			t.Errorf("message %q", a.Message)
		}
	})
}

// FuzzHeaders checks Retry-After and Link.
func FuzzHeaders(f *testing.F) {
	f.Add("120", `</v2/demo/tags/list?n=1&last=a>; rel="next"`)
	f.Add("Fri, 02 Jan 2026 03:04:15 GMT", "<>; rel=next")
	f.Add("-1", "<%")
	f.Fuzz(func(t *testing.T, after, link string) {
		if d := retryAfter(http.Header{"Retry-After": {after}}, time.Unix(1_700_000_000, 0)); d < 0 {
			t.Errorf("got wait %s from %q", d, after)
		}
		if q := nextQuery(link); strings.ContainsAny(q, "\r\n") {
			t.Errorf("query %q from %q", q, link)
		}
	})
}
