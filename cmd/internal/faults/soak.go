package faults

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"mtool/registry/registrytest"
)

// Soak runs mixed commands against two registries, where one request in a hundred fails: for three seconds in `make
// test`, for an hour in make soak (or DURATION=20m). All commands must succeed, every published list must be complete
// and have the expected digest, and memory, descriptors and goroutines must not grow.
func Soak(t *testing.T) {
	t.Helper()
	home := NewHome(t)
	duration, err := time.ParseDuration(os.Getenv("MTOOL_TEST_SOAK"))
	if err != nil {
		duration = 3 * time.Second
	}
	s := &soak{home: home, seed: Seed(t), mtool: Program(t)}
	s.src, s.dst = registrytest.New(t, registrytest.Options{}), registrytest.New(t, registrytest.Options{})
	s.load(t)
	var samples []sample
	began := time.Now()
	for cycle := 0; time.Since(began) < duration && !t.Failed(); cycle++ {
		s.cycle(t, cycle)
		samples = append(samples, s.sample(t))
		if n := len(samples); n&(n-1) == 0 || n%100 == 0 {
			t.Logf("%8s  %d commands, %d faults: %s", time.Since(began).Round(time.Second), s.commands, s.faults, samples[n-1])
		}
	}
	t.Logf("%8s  %d commands, %d of them processes, %d lists verified, %d faults: %s",
		time.Since(began).Round(time.Second), s.commands, s.processes, s.verified, s.faults, samples[len(samples)-1])
	if s.faults == 0 {
		t.Error("no request has failed")
	}
	flat(t, samples)
}

type soak struct {
	home, mtool string
	seed        uint64
	src, dst    *registrytest.Server
	want        registrytest.Built // the list that create makes

	mu                                    sync.Mutex
	commands, processes, verified, faults int
}

// soakWorkers is how many commands run at once.
const soakWorkers = 4

// load fills the registries and switches the faults on.
func (s *soak) load(t *testing.T) {
	t.Helper()
	amd64, arm64, s390x := Image(t, "linux/amd64"), Image(t, "linux/arm64"), Image(t, "linux/s390x")
	s.want = registrytest.ListOf(amd64, arm64)
	s.src.Load("demo", "amd64", amd64)
	s.src.Load("demo", "arm64", arm64)
	s.src.Load("demo", "s390x", s390x)
	s.src.Load("demo", "v1", s.want)
	WriteArchive(t, filepath.Join(s.home, "amd64.tar"), amd64)
	s.src.Chaos(s.chaos(1))
	s.dst.Chaos(s.chaos(2))
}

// chaos returns faults that hit one request in a hundred, in different ways. A client recovers from each of them.
func (s *soak) chaos(stream uint64) func(*http.Request) *registrytest.Fault {
	random := rand.New(rand.NewPCG(s.seed, stream))
	faults := []registrytest.Fault{
		{Status: 500},
		{Status: 502},
		{Status: 503},
		{Status: 408},
		{Status: 429, RetryAfter: time.Second},
		{Reset: true},
		{LoseResponse: true},
		{Drop: true},
		{Truncate: true},
		{LoseUpload: true},
		{Hang: true},
		{Response: &registrytest.Response{Stall: true}},
		{Response: &registrytest.Response{Slow: 10 * time.Millisecond}},
	}
	var mu sync.Mutex
	return func(*http.Request) *registrytest.Fault {
		mu.Lock()
		defer mu.Unlock()
		if random.IntN(100) > 0 {
			return nil
		}
		s.mu.Lock()
		s.faults++
		s.mu.Unlock()
		return &faults[random.IntN(len(faults))]
	}
}

// cycle runs every command once in every worker, at the same time, then deletes everything.
func (s *soak) cycle(t *testing.T, n int) {
	t.Helper()
	var wg sync.WaitGroup
	for i := range soakWorkers {
		wg.Go(func() { s.work(t, fmt.Sprintf("w%d", i), n*soakWorkers+i) })
	}
	wg.Wait()
	if broken := s.dst.Broken(); len(broken) > 0 {
		t.Errorf("published in part: %q", broken)
	}
	for name, digest := range s.dst.Tags() {
		s.verified++
		if strings.HasSuffix(name, ":created") && digest != s.want.Digest() {
			t.Errorf("%s is %s, not %s", name, digest, s.want.Digest())
		}
	}
	s.dst.Reset(registrytest.Options{})
	for i := range soakWorkers {
		s.run(t, false, fmt.Sprintf("rm local/w%d:loaded local/w%d:copied draft:%s/w%d:v1", i, i, s.dst.Host(), i))
	}
	s.run(t, false, "prune")
}

func (s *soak) work(t *testing.T, name string, n int) {
	src, dst := s.src.Host()+"/demo", s.dst.Host()+"/"+name
	lines := []string{
		"create " + dst + ":created " + src + ":amd64 " + src + ":arm64 --push --confirm",
		"create " + dst + ":v1 " + src + ":amd64 " + src + ":arm64",
		"amend " + dst + ":v1 " + src + ":s390x",
		"annotate " + dst + ":v1 --annotation n=1",
		"push " + dst + ":v1 --confirm",
		"amend --published " + dst + ":created " + src + ":amd64",
		"annotate --published " + dst + ":v1 --annotation k=v",
		"remove --published " + dst + ":v1 linux/s390x",
		"inspect " + dst + ":v1",
		"inspect --deep --no-facts " + dst + ":created",
		"copy " + src + ":v1 " + dst + "/other:created",
		"copy " + src + ":v1 store:local/" + name + ":copied",
		"load " + s.home + "/amd64.tar -t local/" + name + ":loaded",
		"push store:local/" + name + ":copied " + dst + "/pushed:created",
		"save " + src + ":v1 -o " + s.home + "/" + name + ".tar",
		"exists " + dst + ":v1",
		"imagetools create -t " + dst + ":tools " + src + ":amd64 " + src + ":arm64",
		"ls",
	}
	for i, line := range lines {
		s.run(t, (n+i)%40 == 0, line)
	}
}

// run runs a command in this process or a new one. It must succeed.
func (s *soak) run(t *testing.T, own bool, line string) {
	ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
	defer cancel()
	words := append(strings.Fields(line), "--retry", "8", "--retry-wait", "20ms", "--idle-timeout", "3s")
	var text string
	var err error
	if own {
		text, err = Process(ctx, s.mtool, words...)
	} else if code, stdout, stderr := Run(ctx, "", words...); code != 0 {
		text, err = stdout+stderr, fmt.Errorf("code %d", code)
	}
	if err != nil {
		t.Errorf("mtool %s: %v: %s", line, err, text)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.commands++
	if own {
		s.processes++
	}
}

// sample is the resource usage of this process between two cycles.
type sample struct {
	heap                    int64
	descriptors, goroutines int
}

func (x sample) String() string {
	return fmt.Sprintf("heap %d kB, %d descriptors, %d goroutines", x.heap>>10, x.descriptors, x.goroutines)
}

// sample waits up to a second for goroutines and connections to end.
func (s *soak) sample(t *testing.T) sample {
	t.Helper()
	s.src.Forget()
	s.dst.Forget()
	var x sample
	for i := range 10 {
		fds, err := os.ReadDir("/proc/self/fd")
		if err != nil {
			t.Skip("no /proc")
		}
		now := sample{descriptors: len(fds), goroutines: runtime.NumGoroutine()}
		if i > 0 && now.goroutines >= x.goroutines && now.descriptors >= x.descriptors {
			break
		}
		x = now
		time.Sleep(50 * time.Millisecond)
	}
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	x.heap = int64(m.HeapAlloc)
	return x
}

// flat compares the medians of the second and the last fifth of the samples; the first fifth is for warming up.
func flat(t *testing.T, samples []sample) {
	t.Helper()
	if len(samples) < 10 {
		return // three seconds are too short to show growth
	}
	fifth := len(samples) / 5
	middle := func(part []sample, get func(sample) int64) int64 {
		var all []int64
		for _, x := range part {
			all = append(all, get(x))
		}
		slices.Sort(all)
		return all[len(all)/2]
	}
	for name, c := range map[string]struct {
		get   func(sample) int64
		grows func(before int64) int64
	}{
		"heap":        {func(x sample) int64 { return x.heap }, func(b int64) int64 { return b/5 + 4<<20 }},
		"descriptors": {func(x sample) int64 { return int64(x.descriptors) }, func(int64) int64 { return 8 }},
		"goroutines":  {func(x sample) int64 { return int64(x.goroutines) }, func(int64) int64 { return 16 }},
	} {
		before, after := middle(samples[fifth:2*fifth], c.get), middle(samples[len(samples)-fifth:], c.get)
		t.Logf("%s: %d, at the end %d", name, before, after)
		if after > before+c.grows(before) {
			t.Errorf("%s grow: %d, at the end %d", name, before, after)
		}
	}
}
