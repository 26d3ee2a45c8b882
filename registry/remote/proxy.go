package remote

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"path/filepath"
	"strings"

	"golang.org/x/net/http/httpproxy"

	"mtool/registry/regular"
)

// Proxy holds the proxies for addresses, named like the environment variables.
type Proxy struct {
	HTTP  string `json:"httpProxy"`  // HTTP_PROXY: a URL
	HTTPS string `json:"httpsProxy"` // HTTPS_PROXY
	FTP   string `json:"ftpProxy"`   // FTP_PROXY, for programs that mtool starts
	No    string `json:"noProxy"`    // NO_PROXY: hosts, domains and networks, separated by commas
	All   string `json:"allProxy"`   // ALL_PROXY, for programs that mtool starts
}

// or completes p with other.
func (p Proxy) or(other Proxy) Proxy {
	return Proxy{
		HTTP: cmp.Or(p.HTTP, other.HTTP), HTTPS: cmp.Or(p.HTTPS, other.HTTPS), FTP: cmp.Or(p.FTP, other.FTP),
		No: cmp.Or(p.No, other.No), All: cmp.Or(p.All, other.All),
	}
}

// Vars returns the environment variables, in both spellings, since programs differ in which one they read.
func (p Proxy) Vars() map[string]string {
	vars := map[string]string{}
	for name, value := range map[string]string{
		"HTTP_PROXY": p.HTTP, "HTTPS_PROXY": p.HTTPS, "FTP_PROXY": p.FTP,
		"NO_PROXY": p.No, "ALL_PROXY": p.All,
	} {
		if value != "" {
			vars[name], vars[strings.ToLower(name)] = value, value
		}
	}
	return vars
}

// Secret reports whether it holds a password.
func (p Proxy) Secret() bool {
	for _, address := range []string{p.HTTP, p.HTTPS, p.FTP, p.All} {
		if u, err := url.Parse(address); err == nil && u.User != nil {
			return true
		}
	}
	return false
}

// For returns the proxy for an address; nil means none. Loopback addresses never use one.
func (p Proxy) For(u *url.URL) (*url.URL, error) {
	c := httpproxy.Config{HTTPProxy: p.HTTP, HTTPSProxy: p.HTTPS, NoProxy: p.No}
	return c.ProxyFunc()(u)
}

// Proxies holds what the environment and docker's config.json say.
type Proxies struct {
	Environment Proxy
	Default     Proxy            // config.json, for every engine
	Engines     map[string]Proxy // config.json, by the engine's address
}

// Own returns the proxies for this program's requests: the environment's, completed by docker's.
func (p Proxies) Own() Proxy { return p.Environment.or(p.Default) }

// Configured returns the proxies in docker's config.json for what runs at an engine or worker of that address.
func (p Proxies) Configured(addr string) Proxy {
	if own, ok := p.Engines[addr]; ok {
		return own
	}
	return p.Default
}

// ReadProxies reads the environment, and docker's config.json where there is one.
// https://docs.docker.com/engine/cli/proxy/#configure-the-docker-client
func ReadProxies(getenv func(string) string) (p Proxies, err error) {
	either := func(name string) string { return cmp.Or(getenv(name), getenv(strings.ToLower(name))) }
	p.Environment = Proxy{
		HTTP: either("HTTP_PROXY"), HTTPS: either("HTTPS_PROXY"), FTP: either("FTP_PROXY"),
		No: either("NO_PROXY"), All: either("ALL_PROXY"),
	}
	if getenv("REQUEST_METHOD") != "" { // for a CGI program the client sets HTTP_PROXY: https://httpoxy.org
		p.Environment.HTTP = getenv("http_proxy")
	}
	path := filepath.Join(cmp.Or(getenv("DOCKER_CONFIG"), filepath.Join(getenv("HOME"), ".docker")), "config.json")
	text, err := regular.Read(path, regular.MaxText)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrPermission) ||
		err == nil && len(strings.TrimSpace(string(text))) == 0 {
		return p, nil
	}
	if err == nil {
		p.Default, p.Engines, err = parseProxies(text)
	}
	if err != nil {
		return p, fmt.Errorf("reading the proxies in %q: %w", path, err)
	}
	return p, nil
}

func parseProxies(text []byte) (all Proxy, engines map[string]Proxy, err error) {
	if !json.Valid(text) {
		return all, nil, errors.New("it is not JSON")
	}
	var config struct{ Proxies map[string]Proxy }
	if json.Unmarshal(text, &config) != nil { // not wrapped: the file holds passwords, and a JSON error may quote it
		return all, nil, errors.New(`"proxies" does not have docker's form: {"default": {"httpProxy": "http://HOST:PORT"}}`)
	}
	for addr, p := range config.Proxies {
		for _, address := range []string{p.HTTP, p.HTTPS, p.FTP, p.All} {
			if _, err := url.Parse(address); err != nil {
				return all, nil, fmt.Errorf("the proxy of %q is not an address", addr)
			}
		}
	}
	return config.Proxies["default"], config.Proxies, nil
}
