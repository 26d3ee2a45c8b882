package main

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// actionsCache is the cache service of GitHub Actions, version 2, and the storage that it refers to.
// https://github.com/actions/toolkit/tree/main/packages/cache
type actionsCache struct {
	url string

	mu      sync.Mutex
	mode    string // honest, lie, fail or endless
	keys    []string
	entries map[string]bool   // by key, and whether it is complete
	blocks  map[string][]byte // by key and block
	blobs   map[string][]byte // by key
}

// gha honest|lie|fail|endless: starts a cache service and sets the variables by which steps of GitHub Actions find it,
// or changes how the running one answers.
func cmdGHA(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: gha honest|lie|fail|endless")
	}
	w := ts.Value(webKey{}).(*webs)
	if w.gha == nil {
		var s *httptest.Server
		w.gha, s = startActionsCache()
		w.all = append(w.all, s)
		for name, value := range w.gha.env() {
			ts.Setenv(name, value)
		}
	}
	w.gha.mu.Lock()
	defer w.gha.mu.Unlock()
	w.gha.mode = args[0]
}

func startActionsCache() (*actionsCache, *httptest.Server) {
	c := &actionsCache{
		mode: "honest", entries: map[string]bool{}, blocks: map[string][]byte{}, blobs: map[string][]byte{},
	}
	s := httptest.NewServer(c)
	c.url = s.URL
	return c, s
}

// env returns the variables by which actions find the service.
func (c *actionsCache) env() map[string]string {
	return map[string]string{
		"ACTIONS_CACHE_SERVICE_V2": "true", "ACTIONS_RESULTS_URL": c.url + "/", "ACTIONS_RUNTIME_TOKEN": runtimeToken(),
	}
}

// runtimeToken is a token as a runner gets it: clients read it, and only the service checks the signature.
func runtimeToken() string {
	now := time.Now().Unix()
	part := func(s string) string { return base64.RawURLEncoding.EncodeToString([]byte(s)) }
	claims := fmt.Sprintf(`{"ac":"[{\"Scope\":\"refs/heads/main\",\"Permission\":3}]","nbf":%d,"exp":%d}`, now-60, now+3600)
	return part(`{"alg":"HS256","typ":"JWT"}`) + "." + part(claims) + "." + part("signature")
}

func (c *actionsCache) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	c.mu.Lock()
	mode := c.mode
	c.mu.Unlock()
	key := strings.TrimPrefix(r.URL.Path, "/blobs/")
	switch {
	case mode == "fail":
		w.WriteHeader(http.StatusInternalServerError)
	case mode == "endless" && strings.Contains(key, "index-"):
		drip(w, r)
	case key != r.URL.Path:
		c.storage(w, r, key, body)
	default:
		c.service(w, r.URL.Path[strings.LastIndex(r.URL.Path, "/")+1:], body)
	}
}

// drip sends an array that has no end.
func drip(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("X-Ms-Request-Id", "1")
	for r.Context().Err() == nil {
		_, _ = io.WriteString(w, "[")
		_ = http.NewResponseController(w).Flush()
		time.Sleep(time.Second)
	}
}

// service answers the methods of github.actions.results.api.v1.CacheService.
func (c *actionsCache) service(w http.ResponseWriter, method string, body []byte) {
	var in struct {
		Key         string   `json:"key"`
		RestoreKeys []string `json:"restore_keys"`
	}
	_ = json.Unmarshal(body, &in)
	c.mu.Lock()
	defer c.mu.Unlock()
	out := map[string]any{"ok": true}
	switch method {
	case "CreateCacheEntry":
		if _, taken := c.entries[in.Key]; taken {
			w.WriteHeader(http.StatusConflict)
			return
		}
		c.entries[in.Key] = false
		out["signed_upload_url"] = c.url + "/blobs/" + strings.ReplaceAll(in.Key, "#", "~")
	case "FinalizeCacheEntryUpload":
		c.entries[in.Key], c.keys = true, append(c.keys, in.Key)
		out["entry_id"] = "1"
	case "GetCacheEntryDownloadURL":
		found := c.newest(append(in.RestoreKeys, in.Key))
		out["ok"] = found != ""
		out["matched_key"], out["signed_download_url"] = found, c.url+"/blobs/"+strings.ReplaceAll(found, "#", "~")
	}
	_ = json.NewEncoder(w).Encode(out)
}

// newest returns the newest complete key that begins like one of the wanted.
func (c *actionsCache) newest(wanted []string) (found string) {
	for _, key := range c.keys {
		for _, want := range wanted {
			if strings.HasPrefix(key, want) {
				found = key
			}
		}
	}
	return found
}

// storage is what is used of Azure's blobs.
func (c *actionsCache) storage(w http.ResponseWriter, r *http.Request, key string, body []byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	w.Header().Set("X-Ms-Request-Id", "1")
	q := r.URL.Query()
	switch {
	case r.Method == http.MethodPut && q.Get("comp") == "block":
		c.blocks[key] = append(c.blocks[key], body...) // they come in order from one writer
		w.WriteHeader(http.StatusCreated)
	case r.Method == http.MethodPut && q.Get("comp") == "blocklist":
		c.blobs[key] = c.blocks[key]
		w.WriteHeader(http.StatusCreated)
	case r.Method == http.MethodPut:
		c.blobs[key] = body
		w.WriteHeader(http.StatusCreated)
	default:
		content := c.blobs[key]
		if c.mode == "lie" && !strings.HasPrefix(key, "index-") {
			content = bytes.Repeat([]byte{'x'}, len(content))
		}
		if span := r.Header.Get("X-Ms-Range"); span != "" {
			r.Header.Set("Range", span)
		}
		http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(content))
	}
}
