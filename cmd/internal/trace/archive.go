package trace

import (
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"sync"
	"time"

	"mtool/registry"
	"mtool/registry/remote"
)

// Archive is a record of exchanges that browsers and other tools read (HTTP Archive 1.2), without bodies and cookies.
// http://www.softwareishard.com/blog/har-12-spec/
type Archive struct {
	Program, Version string

	mu      sync.Mutex
	entries []entry
}

type pair struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

type message struct {
	Method      string   `json:"method,omitempty"`
	URL         string   `json:"url,omitempty"`
	Status      *int     `json:"status,omitempty"`
	StatusText  *string  `json:"statusText,omitempty"`
	Proto       string   `json:"httpVersion"`
	Cookies     []pair   `json:"cookies"`
	Headers     []pair   `json:"headers"`
	Query       []pair   `json:"queryString,omitempty"`
	Content     *content `json:"content,omitempty"`
	RedirectURL *string  `json:"redirectURL,omitempty"`
	HeaderBytes int64    `json:"headersSize"`
	BodyBytes   int64    `json:"bodySize"`
}

type content struct {
	Size int64  `json:"size"`
	Type string `json:"mimeType"`
}

type entry struct {
	Started  time.Time          `json:"startedDateTime"`
	Time     float64            `json:"time"`
	Request  message            `json:"request"`
	Response message            `json:"response"`
	Cache    struct{}           `json:"cache"`
	Timings  map[string]float64 `json:"timings"`
	Address  string             `json:"serverIPAddress,omitempty"`
	Reused   bool               `json:"_connectionReused"`
	Error    string             `json:"_error,omitempty"`
}

// Add adds an exchange.
func (a *Archive) Add(e remote.Exchange) {
	row := entry{
		Started: e.Started, Time: ms(e.Took), Address: e.Address, Reused: e.Reused, Error: e.Err,
		Request: message{
			Method: e.Method, URL: e.URL, Proto: e.Proto, Cookies: []pair{}, Headers: pairs(e.Request), Query: queryOf(e.URL),
			HeaderBytes: -1, BodyBytes: e.Sent,
		},
		Response: message{
			Status: new(e.Status), StatusText: new(http.StatusText(e.Status)), Proto: e.Proto, Cookies: []pair{},
			Headers:     pairs(e.Response),
			Content:     &content{e.Received, e.Response.Get("Content-Type")},
			RedirectURL: new(e.Response.Get("Location")), HeaderBytes: -1, BodyBytes: e.Received,
		},
		Timings: map[string]float64{
			"dns": ms(e.DNS), "connect": ms(e.Connect + e.TLS), "ssl": ms(e.TLS), "send": ms(e.Send), "wait": ms(e.Wait),
			"receive": ms(e.Receive),
			"blocked": ms(max(e.Took-e.DNS-e.Connect-e.TLS-e.Send-e.Wait-e.Receive, 0)),
		},
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.entries = append(a.entries, row)
}

func ms(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

func pairs(values map[string][]string) []pair {
	out := []pair{}
	for _, name := range slices.Sorted(maps.Keys(values)) {
		for _, value := range values[name] {
			out = append(out, pair{name, value})
		}
	}
	return out
}

func queryOf(address string) []pair {
	u, err := url.Parse(address)
	if err != nil {
		return nil
	}
	return pairs(u.Query())
}

// WriteFile writes the archive. Only its owner may read it: it has names of hosts and repositories.
func (a *Archive) WriteFile(path string) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	slices.SortStableFunc(a.entries, func(x, y entry) int { return x.Started.Compare(y.Started) })
	type creator struct {
		Name    string `json:"name"`
		Version string `json:"version"`
	}
	type log struct {
		Version string  `json:"version"`
		Creator creator `json:"creator"`
		Entries []entry `json:"entries"`
	}
	doc := map[string]log{"log": {"1.2", creator{a.Program, a.Version}, append([]entry{}, a.entries...)}}
	return registry.WriteFile(path, registry.WriteOptions{}, func(w io.Writer) error {
		out := json.NewEncoder(w)
		out.SetIndent("", "  ")
		out.SetEscapeHTML(false)
		return out.Encode(doc)
	})
}
