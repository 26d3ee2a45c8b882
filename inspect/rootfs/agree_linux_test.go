package rootfs_test

import (
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/containerd/log"
	"golang.org/x/sys/unix"

	"mtool/inspect/binary"
	"mtool/inspect/rootfs"
)

// TestAsRuntimesDo compares Readings with the file systems that containerd's and Docker's unpackers make of random
// layers, on overlayfs and in place. If Readings does not refuse an image, its file system in every runtime that
// accepts it must equal one of the readings. MTOOL_TEST_SEED=N repeats a run; MTOOL_TEST_FULL=1 tries 20,000 images.
func TestAsRuntimesDo(t *testing.T) {
	t.Parallel()
	images := 1_000
	if os.Getenv("MTOOL_TEST_FULL") != "" {
		images = 20_000
	}
	seed := seedOf(t)
	var next atomic.Int64
	var all tally
	onHosts(t, func(h *host) {
		for n := int(next.Add(1)); n <= images && !t.Failed(); n = int(next.Add(1)) {
			layers := imageOf(seed, n, 0)
			for _, bad := range h.compare(layers, mutant{}, &all) {
				t.Errorf("image %d: %s\n%s", n, bad, text(layers))
			}
		}
	})
	t.Logf("MTOOL_TEST_SEED=%d: %d images: %v", seed, images, all.by)
	for _, u := range unpackers(&host{t: t}) {
		if all.by[u.name] < images/10 {
			t.Errorf("%s took only %d images", u.name, all.by[u.name])
		}
	}
}

// TestPastFailures: random images whose readings were wrong in the past.
func TestPastFailures(t *testing.T) {
	t.Parallel()
	onHosts(t, func(h *host) {
		for _, past := range []struct {
			seed uint64
			n    int
		}{{2251082812, 903}} {
			layers := imageOf(past.seed, past.n, 0)
			for _, bad := range h.compare(layers, mutant{}, &tally{}) {
				t.Errorf("seed %d: %s\n%s", past.seed, bad, text(layers))
			}
		}
	})
}

// TestMutantsDifferFromRuntimes: each of these mistakes is found.
func TestMutantsDifferFromRuntimes(t *testing.T) {
	t.Parallel()
	const most = 10_000
	seed := seedOf(t)
	left := make(chan mutant, len(mutants()))
	for _, m := range mutants() {
		left <- m
	}
	close(left)
	onHosts(t, func(h *host) {
		for m := range left {
			n := 0
			for n < most && len(h.compare(imageOf(seed, n, m.often), m, &tally{})) == 0 {
				n++
			}
			if n == most {
				t.Errorf("%s: %d images show no difference", m.name, most)
			}
			t.Logf("%s: found at image %d", m.name, n)
		}
	})
}

func seedOf(t *testing.T) uint64 {
	t.Helper()
	seed := rand.Uint64N(1 << 32)
	if n, err := strconv.ParseUint(os.Getenv("MTOOL_TEST_SEED"), 10, 64); err == nil {
		seed = n
	}
	t.Logf("MTOOL_TEST_SEED=%d", seed)
	return seed
}

// imageOf makes the nth image of a seed, independent of the others.
func imageOf(seed uint64, n, often int) [][]entry {
	s := sequences{Rand: rand.New(rand.NewPCG(seed, uint64(n))), often: often}
	return s.layers()
}

func text(layers [][]entry) string {
	var b strings.Builder
	for i, l := range layers {
		for _, e := range l {
			b.WriteString("  layer " + strconv.Itoa(i) + ": " + e.String() + "\n")
		}
	}
	return b.String()
}

// onHosts runs f on several threads with their own mounts, which end with them. The threads mostly wait for the
// kernel.
func onHosts(t *testing.T, f func(h *host)) {
	t.Helper()
	if err := log.SetLevel("panic"); err != nil { // unpackers log each attribute that they ignore
		t.Fatal(err)
	}
	const threads = 8
	var group sync.WaitGroup
	failed := make(chan error, threads)
	for i := range threads {
		dir := t.TempDir()
		group.Go(func() {
			runtime.LockOSThread() // never unlocked, so that the thread ends with the goroutine
			h, err := newHost(t, dir)
			if err != nil {
				failed <- fmt.Errorf("thread %d: %w", i, err)
				return
			}
			f(h)
		})
	}
	group.Wait()
	close(failed)
	err := <-failed
	switch {
	case err == nil:
	case slices.Contains(strings.Split(os.Getenv("MTOOL_TEST_REQUIRE"), ","), "overlay"):
		t.Fatalf("MTOOL_TEST_REQUIRE requires overlayfs, but it can't be mounted: %v", err)
	default:
		t.Skipf("overlayfs can't be mounted: %v", err)
	}
}

func newHost(t *testing.T, dir string) (*host, error) {
	h := &host{t: t, dir: dir}
	if err := unix.Unshare(unix.CLONE_NEWNS | unix.CLONE_FS); err != nil {
		return nil, err
	}
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		return nil, err
	}
	if err := unix.Mount("tmpfs", h.dir, "tmpfs", 0, "size=64m"); err != nil {
		return nil, err
	}
	for _, name := range []string{"merged", "a", "b"} {
		if err := os.Mkdir(filepath.Join(h.dir, name), 0o755); err != nil {
			return nil, err
		}
	}
	merged := filepath.Join(h.dir, "merged")
	if err := unix.Mount("overlay", merged, "overlay", unix.MS_RDONLY, "lowerdir="+h.dir+"/a:"+h.dir+"/b"); err != nil {
		return nil, err
	}
	root, err := unix.Open("/", unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	t.Cleanup(func() { _ = unix.Close(root) })
	h.root = root
	return h, unix.Unmount(merged, 0)
}

// refused is the key for images that Readings refuses.
const refused = "refused by Readings"

// tally counts compared images.
type tally struct {
	mu sync.Mutex
	by map[string]int // by the name of the unpacker
}

func (n *tally) add(name string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.by == nil {
		n.by = map[string]int{}
	}
	n.by[name]++
}

// compare returns the differences between Readings and the file systems of runtimes.
func (h *host) compare(layers [][]entry, m mutant, n *tally) (bad []string) {
	readings, err := judged(h.t, layers, m)
	if err != nil {
		n.add(refused)
		return nil
	}
	var archives [][]byte
	for _, l := range layers {
		archives = append(archives, packed(l))
	}
	for _, r := range unpackers(h) {
		want, err := h.show(r, archives)
		if err != nil {
			continue // the runtime refuses the image
		}
		n.add(r.name)
		got := seen(readings[0])
		if r.reading == rootfs.InPlace {
			got = seen(readings[len(readings)-1])
		}
		if d := differences(got, want); len(d) > 0 {
			bad = append(bad, r.name+": "+strings.Join(d, "; "))
		}
	}
	return bad
}

// judged returns the readings of an image, or why there are none.
func judged(t *testing.T, layers [][]entry, m mutant) ([]*rootfs.Tree, error) {
	t.Helper()
	examine := func(_ string, _ fs.FileMode, _ int64, r io.Reader) (binary.Fact, error) {
		text, err := io.ReadAll(r)
		if !strings.HasPrefix(string(text), "program") {
			return binary.Fact{Kind: binary.Other}, err
		}
		return binary.Fact{Kind: binary.ELFExecutable, Arch: string(text)}, err
	}
	var all []rootfs.LayerFacts
	for _, entries := range layers {
		if m.entries != nil {
			entries = m.entries(entries)
		}
		facts, err := scanWith(t, packed(entries), rootfs.Options{Examine: examine})
		if err != nil {
			return nil, err
		}
		if m.facts != nil {
			m.facts(&facts)
		}
		all = append(all, facts)
	}
	if m.readings != nil {
		return m.readings(all)
	}
	return rootfs.Readings(all)
}

// mutant is a mistake that the comparison must find.
type mutant struct {
	name     string
	often    int // the kind of entry that exposes it
	entries  func([]entry) []entry
	facts    func(*rootfs.LayerFacts)
	readings func([]rootfs.LayerFacts) ([]*rootfs.Tree, error)
}

func mutants() []mutant {
	each := func(change func(*rootfs.Folder)) func(*rootfs.LayerFacts) {
		return func(f *rootfs.LayerFacts) {
			for i := range f.Folders {
				change(&f.Folders[i])
			}
		}
	}
	only := func(keep func(entry) bool) func([]entry) []entry {
		return func(all []entry) []entry {
			return slices.DeleteFunc(slices.Clone(all), func(e entry) bool { return !keep(e) })
		}
	}
	return []mutant{
		{name: "whiteouts hide nothing", facts: func(f *rootfs.LayerFacts) { f.Whiteouts = nil }},
		{name: "opaque directories hide nothing", facts: each(func(f *rootfs.Folder) { f.Opaque = false })},
		{
			name:  "a directory after its whiteout hides",
			facts: each(func(f *rootfs.Folder) { f.Opaque = f.Opaque || f.Replaced && f.Path != "" }),
		},
		{
			name:  "a marker in the root hides",
			facts: each(func(f *rootfs.Folder) { f.Opaque = f.Opaque || f.Replaced && f.Path == "" }),
		},
		{name: "a directory after its whiteout merges in place", facts: each(func(f *rootfs.Folder) { f.Replaced = false })},
		{name: "links of lower layers are not followed in place", facts: each(func(f *rootfs.Folder) { f.Implied = false })},
		{name: "skipped entries are forgotten", often: globalHeader, facts: func(f *rootfs.LayerFacts) { f.Skipped = nil }},
		{
			name: "only overlayfs is read",
			readings: func(all []rootfs.LayerFacts) ([]*rootfs.Tree, error) {
				tree, err := rootfs.Merge(all)
				return []*rootfs.Tree{tree}, err
			},
		},
		{
			name: "global headers are ignored", often: globalHeader,
			entries: only(func(e entry) bool { return e.header.Typeflag != 'g' }),
		},
		{name: "devices are ignored", often: device, entries: only(func(e entry) bool { return e.header.Typeflag != '3' })},
		{name: "overlayfs's attributes are ignored", often: attribute, entries: func(all []entry) []entry {
			all = slices.Clone(all)
			for i := range all {
				if all[i].header.Typeflag == '5' {
					all[i].header.PAXRecords = nil
				}
			}
			return all
		}},
		{name: "the first of two entries with one name counts", entries: func(all []entry) (kept []entry) {
			names := map[string]bool{}
			for _, e := range all {
				if !names[e.header.Name] {
					kept = append(kept, e)
				}
				names[e.header.Name] = true
			}
			return kept
		}},
		{name: "whiteouts come first", entries: func(all []entry) []entry {
			isWhiteout := func(e entry) bool { return strings.Contains(e.header.Name, ".wh.") }
			return append(only(isWhiteout)(all), only(func(e entry) bool { return !isWhiteout(e) })(all)...)
		}},
		{name: "hard links keep the mode", entries: func(all []entry) []entry {
			all = slices.Clone(all)
			for i := range all {
				all[i].header.Mode = 0o755
			}
			return all
		}},
		{name: `names with ".." are ignored`, entries: only(func(e entry) bool {
			return !strings.Contains(e.header.Name, "..") || strings.Contains(e.header.Name, ".wh.")
		})},
	}
}
