package platform_test

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/containerd/platforms"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	specs "github.com/opencontainers/image-spec/specs-go/v1"

	"mtool/inspect/platform"
)

// nodes are common and uncommon machines.
func nodes() []v1.Platform {
	all := []v1.Platform{
		plat("linux", "amd64", ""), plat("linux", "amd64", "v2"), plat("linux", "amd64", "v3"), plat("linux", "amd64", "v4"),
		plat("linux", "386", ""), plat("linux", "arm", ""), plat("linux", "arm", "v5"), plat("linux", "arm", "v6"),
		plat("linux", "arm", "v7"), plat("linux", "arm", "v8"), plat("linux", "arm64", ""), plat("linux", "arm64", "v8"),
		plat("linux", "arm64", "v8.2"), plat("linux", "arm64", "v9"), plat("linux", "arm64", "v9.2"),
		plat("linux", "arm64", "v9.6"),
		plat("linux", "ppc64le", ""), plat("linux", "ppc64le", "power9"), plat("linux", "riscv64", ""),
		plat("linux", "riscv64", "rva22u64"),
		plat("linux", "s390x", ""), plat("linux", "loong64", ""), plat("linux", "sw64", ""), plat("linux", "mips64le", ""),
		plat("freebsd", "arm64", ""),
		{OS: "linux", Architecture: "amd64", OSFeatures: []string{"a", "b"}},
	}
	for _, version := range []string{"", "10.0.17763.1", "10.0.20348.2", "10.0.26100.3"} {
		all = append(all, windows(version))
	}
	return all
}

// randomPlatform returns a platform for a generated row: canonical names, variants, and common misspellings.
func randomPlatform(r *rand.Rand) v1.Platform {
	pick := func(names string) string { all := strings.Split(names, " "); return all[r.IntN(len(all))] }
	p := v1.Platform{
		OS:           "linux",
		Architecture: pick("amd64 amd64 arm arm arm arm64 arm64 arm64 386 ppc64le riscv64 s390x loong64 sw64 mips64le"),
	}
	switch p.Architecture {
	case "amd64":
		p.Variant = pick("   v1 v2 v3 v4")
	case "arm":
		p.Variant = pick(" v5 v6 v6 v7 v7 v8 7 v9")
	case "arm64":
		p.Variant = pick("  v8 v8 v8.0 v8.1 v8.5 8 v9 v9.0 v9.2 v10")
	case "ppc64le":
		p.Variant = pick("  power9")
	case "riscv64":
		p.Variant = pick("  rva22u64")
	}
	switch r.IntN(12) {
	case 0:
		p.Architecture = pick("x86_64 x86-64 AMD64 aarch64 armhf armel i386 i686 arm32v7 loongarch64 ppc64el ARM64 unknown")
	case 1:
		p.OS = pick("Linux freebsd darwin macos unknown")
	case 2:
		p.OSFeatures = strings.Fields(pick("a b c a,b") + " " + pick(" b"))
	case 3, 4:
		p = windows(pick(" 10.0.17763.1 10.0.17763.5 10.0.20348.2 10.0.25398.1 10.0.26100.3 10.1 x"),
			strings.Fields(pick("  win32k"))...)
	}
	return p
}

// containerd's own library chooses the same rows, in every list and for every node.
func TestChooseAsContainerd(t *testing.T) {
	t.Parallel()
	lists, seed := 200, uint64(1)
	if os.Getenv("MTOOL_TEST_FULL") != "" {
		lists = 2000
	}
	if n, err := strconv.ParseUint(os.Getenv("MTOOL_TEST_SEED"), 10, 64); err == nil {
		seed = n
	}
	r := rand.New(rand.NewPCG(seed, 0))
	taken, none := 0, 0
	for range lists {
		offer := platform.Offer{Docker: r.IntN(4) == 0}
		for range 1 + r.IntN(8) {
			p, config := randomPlatform(r), randomPlatform(r)
			row := platform.Row{Platform: &p, Config: config, Zstd: r.IntN(4) == 0}
			if r.IntN(15) == 0 {
				row.Platform = nil
			}
			offer.Rows = append(offer.Rows, row)
		}
		for _, node := range nodes() {
			want := containerdTakes(offer, node)
			for _, runtime := range []platform.Runtime{platform.Containerd, platform.Docker} {
				if got := offer.Choose(runtime, node); got.Row != want {
					t.Fatalf("seed %d: %s takes %d for %v, containerd's library %d, of:\n%s", seed, runtime, got.Row, node, want,
						shown(offer))
				}
			}
			if taken++; want < 0 {
				none++
			}
		}
	}
	t.Logf("MTOOL_TEST_SEED=%d: %d lists, %d answers are the same, %d of them none", seed, lists, taken, none)
	if none == 0 || none > taken*9/10 {
		t.Error("too few or too many of the answers are none")
	}
}

// containerdTakes filters, sorts and takes the first as LimitManifests of core/images does. On Windows the matcher is
// that of defaults_windows.go.
func containerdTakes(o platform.Offer, node v1.Platform) int {
	spec := func(p v1.Platform) specs.Platform {
		return specs.Platform{
			OS: p.OS, Architecture: p.Architecture, Variant: p.Variant, OSVersion: p.OSVersion,
			OSFeatures: p.OSFeatures,
		}
	}
	match := platforms.Only(spec(node))
	less := match.Less
	var matcher platforms.Matcher = match
	if node.OS == "windows" {
		matcher = platforms.NewMatcher(spec(node))
		less = func(a, b specs.Platform) bool { return a.OSVersion > b.OSVersion }
	}
	var rows []int
	for i, row := range o.Rows {
		if row.Platform == nil || matcher.Match(spec(*row.Platform)) {
			rows = append(rows, i)
		}
	}
	slices.SortStableFunc(rows, func(i, j int) int {
		a, b := o.Rows[i].Platform, o.Rows[j].Platform
		switch {
		case a == nil || b == nil:
			return cmp.Compare(b2i(a == nil), b2i(b == nil))
		case less(spec(*a), spec(*b)):
			return -1
		case less(spec(*b), spec(*a)):
			return 1
		}
		return 0
	})
	if len(rows) == 0 || o.Rows[rows[0]].Platform == nil && !matcher.Match(spec(o.Rows[rows[0]].Config)) {
		return -1
	}
	return rows[0]
}

func b2i(b bool) int {
	if b {
		return 1
	}
	return 0
}

func shown(o platform.Offer) string {
	var s strings.Builder
	for i, row := range o.Rows {
		fmt.Fprintf(&s, "%d: %+v zstd %v\n", i, row.Platform, row.Zstd)
	}
	return s.String()
}

// The reason of a choice names what decided.
func TestChoose(t *testing.T) {
	t.Parallel()
	rows := func(all ...v1.Platform) (o platform.Offer) {
		for i := range all {
			o.Rows = append(o.Rows, platform.Row{Platform: &all[i]})
		}
		return o
	}
	twins := rows(plat("linux", "arm64", ""), plat("linux", "arm64", ""))
	twins.Rows[1].Zstd = true
	bare := platform.Offer{Rows: []platform.Row{{Config: plat("linux", "s390x", "")}}}
	old := rows(plat("linux", "arm", "v6"), plat("linux", "arm", "v5"))
	for _, c := range []struct {
		name    string
		offer   platform.Offer
		runtime platform.Runtime
		node    string
		row     int
		why     string
	}{
		{
			"its own", rows(plat("linux", "amd64", ""), plat("linux", "arm64", "v8")), platform.Docker, "linux/arm64", 1,
			"the same platform",
		},
		{
			"v6 on v7", old, platform.Containerd, "linux/arm", 0,
			"linux/arm/v7 runs linux/arm/v6 too, the nearest of 2 rows that fit",
		},
		{"v6 on v7 by podman", old, platform.Podman, "linux/arm/v7", 0, "linux/arm/v7 runs linux/arm/v6 too"},
		{
			"v6 does not run v7", rows(plat("linux", "arm", "v7")), platform.Docker, "linux/arm/v6", -1,
			"no row is for linux/arm/v6",
		},
		{
			"v2 on v3", rows(plat("linux", "amd64", ""), plat("linux", "amd64", "v2")), platform.Docker, "linux/amd64/v3", 1,
			"runs linux/amd64/v2 too",
		},
		{"podman does not know v2", rows(plat("linux", "amd64", "v2")), platform.Podman, "linux/amd64/v3", -1, "no row"},
		{
			"an alias that containerd knows", rows(plat("linux", "x86_64", "")), platform.Docker, "linux/amd64", 0,
			"the same platform",
		},
		{"an alias that podman does not", rows(plat("linux", "x86_64", "")), platform.CRIO, "linux/amd64", -1, "no row"},
		{
			"an alias that no runtime knows", rows(plat("linux", "loongarch64", "")), platform.Docker, "linux/loong64",
			-1, "no row",
		},
		{"podman prefers zstd", twins, platform.Podman, "linux/arm64", 1, "zstd before gzip"},
		{"docker takes the first", twins, platform.Docker, "linux/arm64", 0, "the first of 2 such rows"},
		{
			"the latest os.version", rows(windows("10.0.20348.1"), windows("10.0.26100.1")), platform.Docker,
			"windows/amd64:10.0.26100", 1, "the latest os.version of 2",
		},
		{"no platform", bare, platform.Podman, "linux/amd64", 0, "states no platform"},
		{"no platform, and another config", bare, platform.Containerd, "linux/amd64", -1, "says linux/s390x"},
	} {
		node, err := platform.Parse(c.node)
		if err != nil {
			t.Fatal(err)
		}
		if got := c.offer.Choose(c.runtime, node); got.Row != c.row || !strings.Contains(got.Why, c.why) {
			t.Errorf("%s: %s takes row %d (%s), want %d (%s)", c.name, c.runtime, got.Row, got.Why, c.row, c.why)
		}
	}
}

func TestServe(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		want     string
		rows     []v1.Platform
		row      int // -1: it is not served
		fallback bool
	}{
		{"linux/amd64", []v1.Platform{plat("linux", "arm64", ""), plat("linux", "amd64", "")}, 1, false},
		{"linux/arm/v7", []v1.Platform{plat("linux", "arm", "")}, 0, false},
		{"linux/arm/v7", []v1.Platform{plat("linux", "arm", "v5"), plat("linux", "arm", "v6")}, 1, true},
		{"linux/arm/v6", []v1.Platform{plat("linux", "arm", "v7")}, -1, false},
		{"linux/amd64/v3", []v1.Platform{plat("linux", "amd64", "")}, 0, true},
		{"linux/amd64", []v1.Platform{plat("linux", "amd64", "v2")}, -1, false},
		{"linux/arm64/v9", []v1.Platform{plat("linux", "arm64", "v8")}, 0, true},
		// Another architecture, and spellings that only some runtimes match.
		{"linux/amd64", []v1.Platform{plat("linux", "386", "")}, -1, false},
		{"linux/arm64", []v1.Platform{plat("linux", "arm", "v7")}, -1, false},
		{"linux/amd64", []v1.Platform{plat("linux", "x86_64", "")}, -1, false},
		{"linux/arm/v7", []v1.Platform{plat("linux", "arm", "6")}, -1, false},
		{"linux/amd64", []v1.Platform{{}}, -1, false},
		{"windows/amd64:10.0.26100", []v1.Platform{windows("10.0.20348.1")}, 0, true},
		{"windows/amd64:10.0.17763", []v1.Platform{windows("10.0.20348.1")}, -1, false},
	} {
		want, err := platform.Parse(c.want)
		if err != nil {
			t.Fatal(err)
		}
		got := platform.Serve(c.rows, want, false)
		if c.row < 0 && len(got.Rows) > 0 || c.row >= 0 && !slices.Equal(got.Rows, []int{c.row}) ||
			got.Fallback != c.fallback {
			t.Errorf("%s of %v: got %+v", c.want, c.rows, got)
		}
		if exact := platform.Serve(c.rows, want, true); c.fallback && len(exact.Rows) > 0 {
			t.Errorf("%s of %v, exactly: got %+v", c.want, c.rows, exact)
		}
	}
}
