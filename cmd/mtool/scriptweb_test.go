package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/cgi"
	"net/http/httptest"
	"net/http/httputil"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"

	"github.com/rogpeppe/go-internal/testscript"
)

type webKey struct{}

// webs holds the servers that a script has started.
type webs struct {
	all []*httptest.Server
	gha *actionsCache
}

func (w *webs) close() {
	for _, s := range w.all {
		s.CloseClientConnections()
		s.Close()
	}
}

func serveHTTP(ts *testscript.TestScript, name string, h http.Handler) {
	s := httptest.NewServer(h)
	w := ts.Value(webKey{}).(*webs)
	w.all = append(w.all, s)
	ts.Setenv(name, strings.TrimPrefix(s.URL, "http://"))
}

// web VAR DIR: starts a web server for the files and the bare Git repositories (NAME.git) in DIR, and sets $VAR to its
// host.
func cmdWeb(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: web VAR DIR")
	}
	dir := ts.MkAbs(args[1])
	backend, err := exec.Command("git", "--exec-path").Output()
	ts.Check(err)
	repositories := &cgi.Handler{
		Path: filepath.Join(strings.TrimSpace(string(backend)), "git-http-backend"),
		Env: []string{
			"GIT_PROJECT_ROOT=" + dir, "GIT_HTTP_EXPORT_ALL=1", "GIT_CONFIG_COUNT=1",
			"GIT_CONFIG_KEY_0=safe.directory", "GIT_CONFIG_VALUE_0=*",
		},
	}
	files := http.FileServer(http.Dir(dir))
	serveHTTP(ts, args[0], http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.Contains(r.URL.Path, ".git/") {
			repositories.ServeHTTP(w, r)
			return
		}
		files.ServeHTTP(w, r)
	}))
}

// proxy VAR [HOST=ADDR]…: starts a forward proxy, which finds each HOST at ADDR, and sets $VAR to its host. The proxy
// writes method and address of each request to the file VAR.log.
func cmdProxy(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) == 0 {
		ts.Fatalf("usage: proxy VAR [HOST=ADDR]...")
	}
	p := &forward{log: ts.MkAbs(args[0] + ".log"), at: map[string]string{}}
	for _, word := range args[1:] {
		host, addr, _ := strings.Cut(word, "=")
		p.at[host] = addr
	}
	ts.Check(os.WriteFile(p.log, nil, 0o644))
	serveHTTP(ts, args[0], p)
}

// forward is a proxy: RFC 9110, sections 7.6 and 9.3.6.
type forward struct {
	log string
	at  map[string]string
	mu  sync.Mutex
}

func (f *forward) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f.record(r.Method + " " + r.URL.String())
	if r.Method == http.MethodConnect {
		f.tunnel(w, r)
		return
	}
	if !r.URL.IsAbs() {
		http.Error(w, "this is a proxy", http.StatusBadRequest)
		return
	}
	(&httputil.ReverseProxy{
		Rewrite:   func(*httputil.ProxyRequest) {},
		Transport: &http.Transport{DialContext: f.dial, DisableKeepAlives: true},
	}).ServeHTTP(w, r)
}

func (f *forward) record(line string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	file, err := os.OpenFile(f.log, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		return // the script has ended
	}
	fmt.Fprintln(file, line)
	_ = file.Close()
}

func (f *forward) dial(ctx context.Context, network, addr string) (net.Conn, error) {
	host, _, _ := net.SplitHostPort(addr)
	for _, name := range []string{addr, host} {
		if to, ok := f.at[name]; ok {
			return (&net.Dialer{}).DialContext(ctx, network, to)
		}
	}
	return nil, fmt.Errorf("this proxy connects to %v only, not to %q", f.at, addr)
}

func (f *forward) tunnel(w http.ResponseWriter, r *http.Request) {
	server, err := f.dial(r.Context(), "tcp", r.Host)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadGateway)
		return
	}
	defer server.Close()
	client, buffered, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return
	}
	defer client.Close()
	_, _ = io.WriteString(client, "HTTP/1.1 200 OK\r\n\r\n")
	done := make(chan struct{}, 2)
	go func() { _, _ = io.Copy(server, buffered); done <- struct{}{} }()
	go func() { _, _ = io.Copy(client, server); done <- struct{}{} }()
	<-done
}
