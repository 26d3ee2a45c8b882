package faults

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"mtool/registry/registrytest"
)

// trouble is a fault and what commands may do about it.
type trouble struct {
	name    string
	fault   registrytest.Fault
	host    string                      // an address to use instead of the registry's
	options func(*registrytest.Options) // changes the registry's options
	confirm bool                        // only for commands with --confirm
	lasts   bool                        // happens permanently only
	passes  bool                        // happens once only
	stalls  bool                        // needs a short idle timeout
	missing bool                        // the registry says that existing content is missing
	surely  bool                        // from the first request on it makes every command fail
	// The exit codes that are allowed in addition to the one without a fault: if the fault happens once, and if it happens
	// always from some request on.
	once, always []int
	worker       []int    // more exit codes for commands with a worker, since BuildKit makes their requests
	messages     []string // a failure's message must contain one of these
}

const wrongDigest = "sha256:0000000000000000000000000000000000000000000000000000000000000000"

func matrixTroubles(m *matrix) []trouble {
	all := []trouble{
		{name: "refused", host: m.dead, lasts: true, always: []int{6}, messages: []string{"connection refused"}},
		{
			name: "no such host", host: strings.Repeat("a", 64) + ".example:5000", lasts: true, always: []int{6},
			messages: []string{"cannot resolve"},
		},
		{
			name: "certificate not trusted", worker: []int{8}, host: m.tls, lasts: true, always: []int{5},
			messages: []string{"certificate not trusted"},
		},

		{
			name: "refused behind a redirect", worker: []int{6},
			fault: get("", registrytest.Fault{Redirect: "http://" + m.dead}), always: []int{6},
			messages: []string{"connection refused"},
		},
		{
			name:  "no host behind a redirect",
			fault: get("", registrytest.Fault{Redirect: "http://" + strings.Repeat("a", 64) + ".example"}), once: []int{6},
			always: []int{6}, messages: []string{"cannot resolve", "lookup "},
		},
		{
			name: "certificate behind a redirect", fault: get("", registrytest.Fault{Redirect: "https://" + m.tls}),
			once: []int{5}, always: []int{5}, messages: []string{"certificate not trusted", "x509"},
		},
		{name: "another host", fault: get("/blobs/", registrytest.Fault{Redirect: "other"})},
		{
			name: "another host for manifests", missing: true, fault: get("/manifests/", registrytest.Fault{Redirect: "other"}),
			lasts: true, always: []int{4}, messages: []string{"404", "not found", "not in "},
		},
		{
			name: "redirect loop", fault: get("", registrytest.Fault{Redirect: "loop"}), lasts: true, surely: true,
			always: []int{6}, messages: []string{"10 redirects"},
		},

		{
			name: "reset before the answer", fault: registrytest.Fault{Reset: true}, surely: true, always: []int{6},
			messages: []string{"reset", "EOF"},
		},
		{
			name: "reset after the work", fault: registrytest.Fault{LoseResponse: true}, surely: true, always: []int{6, 7},
			messages: []string{"reset", "EOF", "moved"},
		},
		{
			name: "closed before the answer", fault: registrytest.Fault{Drop: true}, surely: true, always: []int{6},
			messages: []string{"EOF", "reset"},
		},
		{
			name: "goes away", fault: registrytest.Fault{Down: true}, lasts: true, surely: true, always: []int{6},
			messages: []string{"connection refused"},
		},
		{
			name: "reset in the answer", fault: get("/v2/", registrytest.Fault{Truncate: true, Reset: true}), always: []int{6},
			messages: []string{"cut off", "EOF", "reset", "token server"},
		},
		{
			name: "reset during an upload", fault: registrytest.Fault{Method: "PUT", Path: "/v2/", PartialRead: true, Reset: true},
			always: []int{6}, messages: []string{"reset", "EOF", "broken pipe"},
		},
		{
			name: "stall during an upload", fault: registrytest.Fault{Method: "PUT", Path: "/v2/", PartialRead: true, Hang: true},
			stalls: true, always: []int{6}, messages: []string{"nothing moved for"},
		},
		{
			name: "cut in the answer", fault: registrytest.Fault{Method: "GET", Path: "/v2/", Truncate: true}, always: []int{6},
			messages: []string{"cut off", "EOF", "token server"},
		},
		{name: "slow body", fault: registrytest.Fault{Response: &registrytest.Response{Slow: 5 * time.Millisecond}}},
		{
			name: "stall before the answer", fault: registrytest.Fault{Hang: true}, stalls: true, surely: true, always: []int{6},
			messages: []string{"nothing moved for"},
		},
		{
			name: "stall in the answer", fault: get("/v2/", registrytest.Fault{Response: &registrytest.Response{Stall: true}}),
			stalls: true, always: []int{6}, messages: []string{"nothing moved for"},
		},

		{
			name: "token expired", worker: []int{5}, fault: registrytest.Fault{Path: "/v2/", Expire: true}, always: []int{5},
			messages: []string{"401"},
		},
		{
			name: "401", fault: registrytest.Fault{Status: 401}, surely: true, once: []int{5}, always: []int{5},
			messages: []string{"401"},
		},
		{
			name: "403", fault: registrytest.Fault{Status: 403}, surely: true, once: []int{5}, always: []int{5},
			messages: []string{"403"},
		},
		{
			name: "404", missing: true, fault: registrytest.Fault{Path: "/v2/", Status: 404}, once: []int{3, 4, 7, 8},
			always: []int{3, 4, 5, 6, 7, 8}, messages: []string{"404", "not found", "not in ", "is missing", "is gone"},
		},

		{
			name: "corrupt manifest", fault: get("/manifests/", registrytest.Fault{Response: &registrytest.Response{Corrupt: true}}),
			once: []int{3}, always: []int{3}, messages: []string{"digest", "content does not match"},
		},
		{
			name: "corrupt blob", fault: get("/blobs/", registrytest.Fault{Response: &registrytest.Response{Corrupt: true}}),
			once: []int{3}, always: []int{3}, messages: []string{"digest", "content does not match"},
		},
		{
			name: "short manifest", worker: []int{6},
			fault: get("/manifests/", registrytest.Fault{Response: &registrytest.Response{Short: true}}), once: []int{3},
			always: []int{3}, messages: []string{"bytes", "JSON", "digest"},
		},
		{
			name: "short blob", worker: []int{6},
			fault: get("/blobs/", registrytest.Fault{Response: &registrytest.Response{Short: true}}), once: []int{3}, always: []int{3},
			messages: []string{"bytes"},
		},
		{
			name:  "wrong digest header",
			fault: registrytest.Fault{Path: "/manifests/", Response: &registrytest.Response{Digest: wrongDigest}},
			once:  []int{3, 7, 8}, always: []int{3, 7, 8}, worker: []int{4}, messages: []string{wrongDigest},
		},
		{
			name:  "wrong digest header of a blob",
			fault: registrytest.Fault{Path: "/blobs/", Response: &registrytest.Response{Digest: wrongDigest}}, once: []int{3, 8},
			always: []int{3, 8}, messages: []string{wrongDigest},
		},
		{
			name: "Content-Length too large", fault: get("/v2/", registrytest.Fault{Response: &registrytest.Response{Length: 10}}),
			once: []int{3}, always: []int{3, 6}, messages: []string{"cut off", "EOF", "bytes"},
		},
		{
			name: "Content-Length too small", fault: get("/v2/", registrytest.Fault{Response: &registrytest.Response{Length: -10}}),
			once: []int{3}, always: []int{3, 6}, messages: []string{"bytes", "digest", "JSON", "no list"},
		},

		{
			name: "refuses mounts", options: func(o *registrytest.Options) { o.NoMount = true },
			fault: registrytest.Fault{Method: "NONE"},
		},
		{
			name: "only chunks", worker: []int{8}, options: func(o *registrytest.Options) { o.Chunked = true },
			fault: registrytest.Fault{Method: "NONE"},
		},
		{
			name: "names no digests", options: func(o *registrytest.Options) { o.NoDigestHeader = true },
			fault: registrytest.Fault{Method: "NONE"},
		},
		{
			name: "ignores ranges", options: func(o *registrytest.Options) { o.NoRange = true },
			fault: get("/blobs/", registrytest.Fault{Truncate: true}), passes: true,
		},
		{
			name: "loses an upload", fault: registrytest.Fault{Method: "PUT", Path: "/uploads/", LoseUpload: true},
			always: []int{6}, messages: []string{"upload unknown"},
		},
		{
			name: "keeps no blob", fault: registrytest.Fault{Method: "PUT", Path: "/uploads/", Forget: true}, once: []int{8},
			always: []int{8}, messages: []string{"unknown"},
		},
		{
			name: "keeps no manifest", fault: registrytest.Fault{Method: "PUT", Path: "/manifests/", Forget: true},
			confirm: true, once: []int{4, 8}, always: []int{4, 8}, messages: []string{"not found", "not in ", "unknown"},
		},
		{
			name: "keeps no manifest, says nothing", options: func(o *registrytest.Options) { o.Lax = true },
			fault: registrytest.Fault{Method: "PUT", Path: "/manifests/sha256", Forget: true}, confirm: true, once: []int{4},
			always: []int{4}, messages: []string{"not found", "not in "},
		},
	}
	for _, status := range []int{408, 429, 500, 502, 503, 504} {
		all = append(all, trouble{
			name: fmt.Sprint(status), fault: registrytest.Fault{Status: status}, surely: true, always: []int{6},
			messages: []string{fmt.Sprint(status)},
		})
	}
	for _, date := range []bool{false, true} {
		f := registrytest.Fault{Status: 429, RetryAfter: time.Second, RetryDate: date}
		all = append(all, trouble{name: fmt.Sprintf("429, Retry-After as a date %v", date), fault: f, passes: true})
	}
	return all
}

func get(path string, f registrytest.Fault) registrytest.Fault {
	f.Method, f.Path = "GET", path
	return f
}

// tally counts exit codes by trouble.
type tally struct {
	mu    sync.Mutex
	codes map[string]map[int]int
}

func (t *tally) add(name string, code int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.codes == nil {
		t.codes = map[string]map[int]int{}
	}
	if t.codes[name] == nil {
		t.codes[name] = map[int]int{}
	}
	t.codes[name][code]++
}

func (t *tally) count() (n int) {
	for _, codes := range t.codes {
		for _, times := range codes {
			n += times
		}
	}
	return n
}

// all returns the troubles and their codes, sorted by name.
func (t *tally) all() func(yield func(string, map[int]int) bool) {
	return func(yield func(string, map[int]int) bool) {
		for _, name := range slices.Sorted(maps.Keys(t.codes)) {
			if !yield(name, t.codes[name]) {
				return
			}
		}
	}
}
