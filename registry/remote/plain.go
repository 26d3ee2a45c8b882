package remote

import (
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"
)

// hidden stands for what may be a secret.
const hidden = "REDACTED"

// plainURL is an address without what may be a secret: names and passwords, and the values of a query but for those
// that the distribution specification and token servers define. Storage that a registry redirects to is opened by
// signatures in queries.
func plainURL(u *url.URL) string {
	at := *u
	if at.User != nil {
		at.User = url.User(hidden)
	}
	if at.RawQuery == "" {
		return at.String()
	}
	query := at.Query()
	for key, values := range query {
		if harmlessKey(key) {
			continue
		}
		for i := range values {
			values[i] = hidden
		}
	}
	at.RawQuery = query.Encode()
	return at.String()
}

func harmlessKey(key string) bool {
	return slices.Contains([]string{"artifactType", "client_id", "digest", "from", "last", "mount", "n", "scope", "service", "tag"}, key)
}

// plainHeader has every header, and the values of those that hold no secrets.
func plainHeader(h http.Header) http.Header {
	out := make(http.Header, len(h))
	for key, values := range h {
		shown := make([]string, len(values))
		for i, value := range values {
			switch {
			case key == "Location" || key == "Www-Authenticate" || key == "Link":
				shown[i] = withoutSecrets(value)
			case harmlessHeader(key):
				shown[i] = value
			default:
				shown[i] = hidden
			}
		}
		out[key] = shown
	}
	return out
}

func harmlessHeader(key string) bool {
	switch key {
	case "Accept", "Accept-Ranges", "Age", "Cache-Control", "Connection", "Content-Encoding", "Content-Length", "Content-Range", "Content-Type",
		"Date", "Etag", "If-Match", "If-None-Match", "Last-Modified", "Range", "Retry-After", "Server", "Transfer-Encoding", "User-Agent",
		"Vary", "Via", "Warning", "X-Request-Id":
		return true
	}
	return strings.HasPrefix(key, "Docker-") || strings.HasPrefix(key, "Oci-") || strings.HasPrefix(key, "Ratelimit-")
}

// addresses are what may carry a secret in a text: with a scheme, or a path with a query.
var addresses = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`[A-Za-z][A-Za-z0-9+.-]*://[^\s"'<>,]+|/[^\s"'<>,]*\?[^\s"'<>,]+`)
})

// withoutSecrets is a text whose addresses are plain.
func withoutSecrets(text string) string {
	return addresses().ReplaceAllStringFunc(text, func(found string) string {
		u, err := url.Parse(found)
		if err != nil {
			return hidden
		}
		return plainURL(u)
	})
}
