package main

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"hash/fnv"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"golang.org/x/sync/errgroup"

	"mtool/cmd/internal/cli"
	"mtool/cmd/internal/realparts"
	"mtool/registry/registrytest"
)

// canary is the password of the registries: it must not be seen anywhere.
const canary = "canary-5e4fd1"

// cellTime ends a cell that hangs.
const cellTime = 2 * time.Minute

// full says whether everything is to be tried (make soak) and not a sample.
func full() bool { return os.Getenv("MTOOL_TEST_FULL") != "" }

// seed is what the random choices of a test follow from: MTOOL_TEST_SEED, or the clock in the full runs. In the short ones it
// is fixed, so that a change is judged by what it changes.
func seed(t *testing.T) uint64 {
	t.Helper()
	n, err := strconv.ParseUint(os.Getenv("MTOOL_TEST_SEED"), 10, 64)
	switch {
	case err == nil:
	case full():
		n = uint64(time.Now().UnixNano())
	default:
		n = 1
	}
	t.Logf("MTOOL_TEST_SEED=%d", n)
	return n
}

// TestFaultMatrix runs every command that talks to a registry into every fault, at its first request, its last, and one in
// between, once and for good. `make test` tries one of these for every command and fault, make soak all of them.
//
// What goes on as usual, or after another attempt, must have the same result as without the fault. What fails must say so
// with the right code and name the host, the repository and the cause. In no case may a tag point to what is not whole,
// credentials show up anywhere, a blob be sent again that has arrived, or a failed command leave files behind.
func TestFaultMatrix(t *testing.T) {
	home := homeOfOwn(t)
	m := &matrix{home: home, seed: seed(t), places: make(chan *place, 8)}
	m.build(t)
	// Most of a cell is waiting: more of them go at one time than there are processors, which t.Parallel would not do.
	var cells errgroup.Group
	cells.SetLimit(cap(m.places))
	builds, err := realparts.Available(realparts.QEMU)
	if err != nil {
		t.Fatal(err)
	}
	tried := 0
	for _, c := range matrixCommands() {
		if !builds && strings.HasPrefix(c.line, "build ") {
			continue
		}
		tried++
		base := m.plain(t, c)
		for _, w := range matrixTroubles(m) {
			for _, k := range m.choose(c, w, base) {
				cells.Go(func() error {
					t.Run(k.name(), func(t *testing.T) { m.cell(t, k, base) })
					return nil
				})
			}
		}
	}
	_ = cells.Wait()
	t.Logf("%d cells of %d commands", m.failed.count(), tried)
	for name, codes := range m.failed.all() {
		t.Logf("%-28s codes %v", name, codes)
	}
	if code, _, stderr := run2(t.Context(), "", "ls"); code != 0 {
		t.Errorf("after all that, ls ends with %d: %s", code, stderr)
	}
}

// matrix is what the cells share.
type matrix struct {
	home   string
	seed   uint64
	places chan *place
	images map[string]registrytest.Built
	dead   string // an address where nobody listens
	tls    string // a registry whose certificate nobody trusts
	serial atomic.Int64
	failed tally
}

// place is a pair of registries, used by one cell at a time.
type place struct{ src, dst, other *registrytest.Server }

func registryOptions() registrytest.Options {
	return registrytest.Options{Token: true, Username: "bob", Password: canary}
}

func (m *matrix) build(t *testing.T) {
	t.Helper()
	hosts := map[string]map[string]string{}
	login := map[string]string{"auth": base64.StdEncoding.EncodeToString([]byte("bob:" + canary))}
	for range cap(m.places) {
		p := &place{registrytest.New(t, registryOptions()), registrytest.New(t, registryOptions()), registrytest.New(t, registrytest.Options{})}
		hosts[p.src.Host()], hosts[p.dst.Host()] = login, login
		m.places <- p
	}
	gone, err := registrytest.Start(registrytest.Options{})
	if err != nil {
		t.Fatal(err)
	}
	m.dead = gone.Host()
	gone.Close()
	m.tls = registrytest.New(t, registrytest.Options{TLS: true}).Host()
	config, err := json.Marshal(map[string]any{"auths": hosts})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(filepath.Join(m.home, "docker"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(m.home, "docker", "config.json"), config, 0o600); err != nil {
		t.Fatal(err)
	}
	m.images = map[string]registrytest.Built{}
	for _, arch := range []string{"amd64", "arm64", "s390x"} {
		m.images[arch] = registrytest.Image(registrytest.ImageSpec{
			Platform: v1.Platform{OS: "linux", Architecture: arch}, Layers: 2, Padding: 3000,
		})
	}
	m.images["v1"] = registrytest.ListOf(m.images["amd64"], m.images["arm64"])
	m.images["v2"] = registrytest.ListOf(m.images["amd64"], m.images["s390x"])
}

// outcome is what a command did.
type outcome struct {
	code           int
	stdout, stderr string
	tag            v1.Hash  // of D/demo:v9, zero when there is none
	before         v1.Hash  // the same before
	lines          []string // the requests that the faulty registry saw
}

// session is a place prepared for a command.
type session struct {
	*place
	repo string // of all its names: "c12"
	dir  string
}

func (m *matrix) open(t *testing.T, c command, o registrytest.Options) *session {
	t.Helper()
	p := <-m.places
	t.Cleanup(func() { m.places <- p })
	s := &session{place: p, repo: fmt.Sprintf("c%d", m.serial.Add(1)), dir: t.TempDir()}
	for _, server := range []*registrytest.Server{p.src, p.dst} {
		server.Reset(o)
	}
	p.other.Reset(registrytest.Options{})
	for tag, image := range m.images {
		p.src.Load(s.repo+"/demo", tag, image)
		for _, name := range []string{"/demo", "/one", "/two"} {
			p.other.Load(s.repo+name, tag, image)
		}
	}
	s.write(t, "pod.yaml", "{apiVersion: v1, kind: Pod, metadata: {name: demo}, spec: {containers: [{name: demo, image: "+s.words("S/demo:v1")[0]+"}]}}")
	s.write(t, "context/Dockerfile", "ARG BASE\nFROM $BASE\n")
	for _, line := range c.before {
		if code, _, stderr := run2(t.Context(), canary, s.words(line)...); code != 0 {
			t.Fatalf("preparing by %q: code %d: %s", line, code, stderr)
		}
	}
	p.src.Forget()
	p.dst.Forget()
	return s
}

// write makes a file in the session's folder.
func (s *session) write(t *testing.T, name, body string) {
	t.Helper()
	path := filepath.Join(s.dir, name)
	if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte(body), 0o644)); err != nil {
		t.Fatal(err)
	}
}

// words are those of a line, with S and D for the registries with the cell's repository, and F for its folder.
func (s *session) words(line string) []string {
	words := strings.Fields(line)
	for i, w := range words {
		for from, to := range map[string]string{"S/": s.src.Host() + "/" + s.repo + "/", "D/": s.dst.Host() + "/" + s.repo + "/", "F/": s.dir + "/", "N/": "local/" + s.repo + "/"} {
			if prefix, rest, ok := strings.Cut(w, from); ok && (prefix == "" || strings.HasSuffix(prefix, ":") || strings.HasSuffix(prefix, "=")) {
				w = prefix + to + rest
				break
			}
		}
		words[i] = w
	}
	return words
}

func (s *session) faulty(c command) *registrytest.Server {
	if c.faulty == "S" {
		return s.src
	}
	return s.dst
}

// run runs the command; instead is the address to use in place of the faulty registry's, "" for its own.
func (s *session) run(c command, idle, instead string) outcome {
	ctx, cancel := context.WithTimeout(context.Background(), cellTime)
	defer cancel()
	var o outcome
	o.before, _ = s.dst.Tag(s.repo+"/demo", "v9")
	words := s.words(c.line)
	if c.name == "login" {
		words = []string{"login", s.dst.Host(), "-u", "bob", "--password-stdin"}
	}
	if instead != "" {
		for i := range words {
			words[i] = strings.ReplaceAll(words[i], s.faulty(c).Host(), instead)
		}
	}
	words = append(words, "--retry", "3", "--retry-wait", "1ms", "--idle-timeout", idle)
	o.code, o.stdout, o.stderr = run2(ctx, canary, words...)
	if ctx.Err() != nil {
		o.stderr += "\n(the cell's time was over)"
	}
	o.tag, _ = s.dst.Tag(s.repo+"/demo", "v9")
	o.lines = s.faulty(c).Requests()
	for from, to := range map[string]string{s.src.Host(): "S", s.dst.Host(): "D", s.repo + "/": "", s.dir: "F"} {
		o.stdout = strings.ReplaceAll(o.stdout, from, to)
	}
	return o
}

// run2 runs a command line in this process.
func run2(ctx context.Context, stdin string, words ...string) (code int, stdout, stderr string) {
	var out, err bytes.Buffer
	code = cli.Run(ctx, words, cli.Stdio{In: strings.NewReader(stdin), Out: &out, Err: &err})
	return code, out.String(), err.String()
}

// plain is how the command ends without any fault.
func (m *matrix) plain(t *testing.T, c command) outcome {
	t.Helper()
	var o outcome
	t.Run("without faults/"+c.name, func(t *testing.T) {
		o = m.open(t, c, registryOptions()).run(c, "60s", "")
		if o.code != c.code {
			t.Fatalf("code %d, want %d: %s", o.code, c.code, o.stderr)
		}
	})
	return o
}

// choice is one cell: a command, what goes wrong, with which request, and how often.
type choice struct {
	command
	trouble
	when  string
	after int
	times int
}

func (k choice) name() string {
	often := "once"
	if k.times < 0 {
		often = "always"
	}
	return k.command.name + "/" + k.trouble.name + "/" + k.when + "/" + often
}

// choose lists the cells of a command and a trouble: none when the command makes no such request.
func (m *matrix) choose(c command, w trouble, base outcome) []choice {
	h := fnv.New64a()
	fmt.Fprint(h, c.name, w.name)
	random := rand.New(rand.NewPCG(m.seed, h.Sum64()))
	n := 0
	for _, line := range base.lines {
		if method, path, _ := strings.Cut(line, " "); (w.fault.Method == "" || w.fault.Method == method) && strings.Contains(path, w.fault.Path) {
			n++
		}
	}
	if w.host != "" && c.kept || w.confirm && !strings.Contains(c.line, "--confirm") {
		return nil
	}
	if w.host != "" || w.options != nil && w.fault.Method == "NONE" {
		n = 1 // of the whole command
	}
	var all []choice
	for i, after := range []int{0, n - 1, random.IntN(max(n, 1))} {
		for _, times := range []int{1, -1} {
			if n == 0 || n == 1 && i > 0 || times == 1 && w.lasts || times == -1 && w.passes {
				continue
			}
			all = append(all, choice{c, w, []string{"first", "last", "random"}[i], after, times})
		}
	}
	if !full() && len(all) > 0 {
		if c.slow && random.IntN(8) > 0 {
			return nil
		}
		return []choice{all[random.IntN(len(all))]}
	}
	return all
}

func (m *matrix) cell(t *testing.T, k choice, base outcome) {
	o := registryOptions()
	if k.options != nil {
		k.options(&o)
	}
	s := m.open(t, k.command, o)
	server, idle := s.faulty(k.command), "60s"
	if k.stalls {
		idle = "300ms"
		if k.slow { // it is the limit of the build's own silence too
			idle = "2s"
		}
	}
	f := k.fault
	f.After, f.Times = k.after, k.times
	switch f.Redirect {
	case "other":
		f.Redirect = "http://" + s.other.Host()
	case "loop":
		f.Redirect = "http://" + server.Host()
	}
	if k.host == "" {
		server.Fault(f)
	}
	before := filesIn(t, s.dir)
	got := s.run(k.command, idle, k.host)
	m.failed.add(k.trouble.name, got.code)

	wrong := func(format string, args ...any) {
		t.Errorf(format+"\ncode %d, stdout %q, stderr:\n%s\nrequests: %s", append(args, got.code, got.stdout, got.stderr, strings.Join(got.lines, "\n  "))...)
	}
	if broken := append(s.src.Broken(), s.dst.Broken()...); len(broken) > 0 {
		wrong("half published: %q", broken)
	}
	if twice := append(s.src.Twice(), s.dst.Twice()...); len(twice) > 0 && !k.fault.Forget {
		wrong("sent again: %q", twice)
	}
	if seen := s.other.Credentials(); len(seen) > 0 {
		wrong("another host was shown credentials: %q", seen)
	}
	if text := got.stdout + got.stderr; strings.Contains(text, canary) || strings.Contains(text, "token-") {
		wrong("a secret is shown")
	}
	if got.tag != got.before && got.tag != base.tag && !k.fault.Forget {
		wrong("the tag is %s: neither what it was nor what it should be", got.tag)
	}
	allowed := k.always
	if k.times > 0 {
		allowed = k.once
	}
	if k.partly && len(allowed) > 0 {
		allowed = append(slices.Clone(allowed), 10)
	}
	if k.host != "" || k.when == "first" && k.surely && k.times < 0 {
		allowed = slices.DeleteFunc(slices.Clone(allowed), func(code int) bool { return code == base.code })
	} else {
		allowed = append(slices.Clone(allowed), base.code)
	}
	switch {
	case !slices.Contains(allowed, got.code):
		wrong("code %d, want one of %v", got.code, allowed)
	case got.code == base.code && (got.code == 0 || got.stdout != ""):
		if got.stdout != base.stdout || got.tag != base.tag {
			wrong("ends well with another result: tag %s, want %s; stdout %q, want %q", got.tag, base.tag, got.stdout, base.stdout)
		}
	default:
		m.explained(k, s, got, wrong)
		if after := filesIn(t, s.dir); !slices.Equal(before, after) {
			wrong("left behind: %q", after)
		}
	}
}

// explained looks for the host, the repository and the cause in what a failure says.
func (m *matrix) explained(k choice, s *session, got outcome, wrong func(string, ...any)) {
	host := s.faulty(k.command).Host()
	if k.host != "" {
		host = k.host
	}
	if !strings.Contains(got.stderr, host) {
		wrong("the message does not name %s", host)
	}
	if k.command.name != "login" && !strings.Contains(got.stderr, s.repo+"/") {
		wrong("the message does not name the reference")
	}
	if len(k.says) > 0 && !slices.ContainsFunc(k.says, func(word string) bool { return strings.Contains(got.stderr, word) }) {
		wrong("the message has none of %q", k.says)
	}
}

func filesIn(t *testing.T, dir string) []string {
	t.Helper()
	var all []string
	err := filepath.WalkDir(dir, func(path string, _ fs.DirEntry, err error) error {
		all = append(all, path)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}
