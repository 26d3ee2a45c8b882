package faults

import (
	"fmt"
	"hash/fnv"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"golang.org/x/sync/errgroup"

	"mtool/cmd/internal/testparts"
	"mtool/registry/registrytest"
)

// Canary is the password of the registries. It must not appear in any output.
const Canary = "canary-5e4fd1"

// cellTime is the time limit of a cell.
const cellTime = 20 * time.Minute

// Full reports whether tests try every combination (make soak) instead of a sample.
func Full() bool { return os.Getenv("MTOOL_TEST_FULL") != "" }

// Seed returns the seed of a test's random choices: MTOOL_TEST_SEED, or the clock in full runs. Short runs have a fixed
// seed, so that a test fails only because of a change.
func Seed(t *testing.T) uint64 {
	t.Helper()
	n, err := strconv.ParseUint(os.Getenv("MTOOL_TEST_SEED"), 10, 64)
	switch {
	case err == nil:
	case Full():
		n = uint64(time.Now().UnixNano())
	default:
		n = 1
	}
	t.Logf("MTOOL_TEST_SEED=%d", n)
	return n
}

// Matrix is what the fault matrix needs from its caller.
type Matrix struct {
	Program string // a static program that runs on this machine
	Key     []byte // the public key that the images are signed by
	// Sign returns the layer of a signature of digest.
	Sign func(digest v1.Hash) registrytest.ArtifactLayer
}

// Run runs every command that talks to a registry with every fault: at the first request, the last one, and one in
// between; once and permanently. `make test` tries one of these for most pairs of command and fault. make soak
// tries all of them, but only two for commands with a worker, since these run one at a time.
//
// A command that succeeds, perhaps after a retry, must have the same result as without the fault. A command that fails
// must end with the right code and name the host, the repository and the cause. No tag may point to incomplete content,
// no credentials be printed, no blob that has arrived be sent again, and no failed command leave files behind.
func (o Matrix) Run(t *testing.T) {
	t.Helper()
	m := &matrix{Matrix: o, home: NewHome(t), seed: Seed(t), free: make(chan *registries, 8)}
	m.build(t)
	// Cells mostly wait, so more of them run at once than there are processors. t.Parallel would limit that.
	var cells errgroup.Group
	cells.SetLimit(cap(m.free))
	worker, err := testparts.Available(testparts.QEMU)
	if err != nil {
		t.Fatal(err)
	}
	tried := 0
	for _, c := range matrixCommands() {
		if !worker && c.works() {
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
	if code, _, stderr := Run(t.Context(), "", "ls"); code != 0 {
		t.Errorf("in the end, ls exits with %d: %s", code, stderr)
	}
}

// choice is one cell of the matrix: a command, a fault, the request that it hits, and how often.
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

// choose returns the cells of a command and a trouble: none when the command makes no such request.
func (m *matrix) choose(c command, w trouble, base outcome) []choice {
	h := fnv.New64a()
	fmt.Fprint(h, c.name, w.name)
	random := rand.New(rand.NewPCG(m.seed, h.Sum64()))
	n := 0
	for _, line := range base.lines {
		if method, path, _ := strings.Cut(line, " "); (w.fault.Method == "" || w.fault.Method == method) &&
			strings.Contains(path, w.fault.Path) {
			n++
		}
	}
	if w.host != "" && c.kept || w.missing && c.missing || w.confirm && !strings.Contains(c.line, "--confirm") {
		return nil
	}
	if w.host != "" || w.options != nil && w.fault.Method == "NONE" {
		n = 1 // affects the whole command
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
	if !Full() && len(all) > 0 {
		if c.slow && random.IntN(8) > 0 || random.IntN(3) == 0 {
			return nil
		}
		return []choice{all[random.IntN(len(all))]}
	}
	if c.works() { // these run one at a time: all of them would take hours
		random.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
		return all[:min(len(all), 2)]
	}
	return all
}

func (m *matrix) cell(t *testing.T, k choice, base outcome) {
	o := RegistryOptions()
	if k.options != nil {
		k.options(&o)
	}
	s := m.open(t, k.command, o)
	server, idle := s.faulty(k.command), "60s"
	if k.stalls {
		idle = "300ms"
		if k.slow { // the same limit ends a build that is silent
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
	before := FilesIn(t, s.dir)
	got := s.run(k.command, idle, k.host)
	m.failed.add(k.trouble.name, got.code)

	wrong := func(format string, args ...any) {
		t.Errorf(format+"\ncode %d, stdout %q, stderr:\n%s\nrequests: %s",
			append(args, got.code, got.stdout, got.stderr, strings.Join(got.lines, "\n  "))...)
	}
	if broken := append(s.src.Broken(), s.dst.Broken()...); len(broken) > 0 {
		wrong("published in part: %q", broken)
	}
	if twice := append(s.src.RepeatedUploads(), s.dst.RepeatedUploads()...); len(twice) > 0 && !k.fault.Forget {
		wrong("sent again: %q", twice)
	}
	if seen := s.other.Credentials(); len(seen) > 0 {
		wrong("another host has received credentials: %q", seen)
	}
	if text := got.stdout + got.stderr; strings.Contains(text, Canary) || strings.Contains(text, "token-") {
		wrong("a secret is shown")
	}
	if got.tag != got.before && got.tag != base.tag && !k.fault.Forget {
		wrong("the tag is %s: neither what it was nor what it should be", got.tag)
	}
	allowed := k.always
	if k.times > 0 {
		allowed = k.once
	}
	if k.frail {
		allowed = slices.Concat(allowed, k.always)
	}
	if k.works() {
		allowed = slices.Concat(allowed, k.worker)
	}
	if k.partly && len(allowed) > 0 {
		allowed = append(slices.Clone(allowed), 10)
	}
	switch {
	case k.spare:
		allowed = []int{base.code}
	case k.host != "" || k.when == "first" && k.surely && k.times < 0:
		allowed = slices.DeleteFunc(slices.Clone(allowed), func(code int) bool { return code == base.code })
	default:
		allowed = append(slices.Clone(allowed), base.code)
	}
	switch {
	case !slices.Contains(allowed, got.code):
		wrong("code %d, want one of %v", got.code, allowed)
	case got.code == base.code && (got.code == 0 || got.stdout != ""):
		shown := k.shows && slices.ContainsFunc(k.messages,
			func(text string) bool { return strings.Contains(got.stdout, text) })
		if got.stdout != base.stdout && !shown || got.tag != base.tag {
			wrong("succeeds with another result: tag %s, want %s; stdout %q, want %q", got.tag, base.tag, got.stdout,
				base.stdout)
		}
		if got.is != base.is {
			wrong("succeeds with\n%s\nwant\n%s", got.is, base.is)
		}
	default:
		m.explained(k, s, got, wrong)
		if after := FilesIn(t, s.dir); !slices.Equal(before, after) {
			wrong("left behind: %q", after)
		}
		if got.is != got.was {
			wrong("fails and leaves\n%s\ninstead of\n%s", got.is, got.was)
		}
	}
}

// explained checks that the message of a failure names the host, the repository and the cause.
func (m *matrix) explained(k choice, s *session, got outcome, wrong func(string, ...any)) {
	host := s.faulty(k.command).Host()
	if k.host != "" {
		host = k.host
	}
	if !strings.Contains(got.stderr, host) {
		wrong("the message does not name %s", host)
	}
	if !strings.HasPrefix(k.command.name, "login") && !strings.Contains(got.stderr, s.repo+"/") {
		wrong("the message does not name the reference")
	}
	if len(k.messages) > 0 &&
		!slices.ContainsFunc(k.messages, func(text string) bool { return strings.Contains(got.stderr, text) }) {
		wrong("the message has none of %q", k.messages)
	}
}

// FilesIn returns dir and the paths below it.
func FilesIn(t *testing.T, dir string) []string {
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
