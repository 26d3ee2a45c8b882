package rpmdb_test

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"

	"mtool/inspect/rpmdb"
)

// patched returns a copy of b with value written as four bytes at each offset.
func patched(b []byte, put func(b []byte, v uint32), value uint32, at ...int) []byte {
	b = slices.Clone(b)
	for _, n := range at {
		put(b[n:], value)
	}
	return b
}

// A broken ndb database is an error.
func TestBrokenNDB(t *testing.T) {
	t.Parallel()
	good, little := database(t, "Packages.db"), binary.LittleEndian.PutUint32
	const slots, blob = 32, 4096
	second := int(binary.LittleEndian.Uint32(good[slots+16+8:])) * 16
	for name, b := range map[string][]byte{
		"another version":            patched(good, little, 1, 4),
		"no slots":                   patched(good, little, 0, 12),
		"more slots than bytes":      patched(good, little, 1<<31, 12),
		"no slot":                    patched(good, little, 0, slots),
		"a block out of bounds":      patched(good, little, 1<<31, slots+8),
		"a block of another package": patched(good, little, uint32(second/16), slots+8),
		"a blob of another package":  patched(good, little, 99, blob+4),
		"a blob of 4 GiB":            patched(good, little, 0xffffffff, blob+12),
		"a changed blob":             patched(good, little, 0, blob+100),
		"no tail":                    patched(good, little, 0, second-4),
		"another length in the tail": patched(good, little, 0, second-8),
		"truncated":                  good[:len(good)/2],
		"only a header":              good[:32],
		"four bytes":                 good[:4],
	} {
		if all, _, err := packages(b); !errors.Is(err, rpmdb.ErrFormat) {
			t.Errorf("%s: %v, %d packages", name, err, len(all))
		}
	}
}

// A broken Berkeley DB database is an error.
func TestBrokenBerkeley(t *testing.T) {
	t.Parallel()
	good, little := database(t, "Packages"), binary.LittleEndian.PutUint32
	const size, next, first = 4096, 16, 26
	hash, overflow := pagesOf(good, 13)[0], pagesOf(good, 7)
	item := hash + int(binary.LittleEndian.Uint16(good[hash+first+2:])) // the second of the first pair
	if good[item] != 3 {
		item = hash + int(binary.LittleEndian.Uint16(good[hash+first+6:]))
	}
	for name, b := range map[string][]byte{
		"pages of 3 bytes":        patched(good, little, 3, 20),
		"pages of 2 GiB":          patched(good, little, 1<<31, 20),
		"encrypted":               patched(good, little, 0x0801, 24),
		"checksums":               patched(good, little, 1, 26),
		"one page too many":       patched(good, little, uint32(len(good)/size), 32),
		"4 billion pages":         patched(good, little, 0xffffffff, 32),
		"truncated":               good[:len(good)-size],
		"too many items":          patched(good, little, 0xffff, hash+20),
		"an item out of bounds":   patched(good, little, 0xffffffff, hash+first),
		"adjacent items":          patched(good, little, 0x00300020, hash+first),
		"a header of 4 GiB":       patched(good, little, 0xffffffff, item+8),
		"a header out of bounds":  patched(good, little, 1<<30, item+4),
		"a header on page 0":      patched(good, little, 0, item+4),
		"a header on a hash page": patched(good, little, uint32(hash/size), item+4),
		"pages in a cycle":        patched(good, little, uint32(overflow[0]/size), plus(overflow, next)...),
		"an empty page":           patched(good, little, 0, overflow[0]+20),
		"an overfull page":        patched(good, little, 0xffff0001, overflow[0]+20),
		"a B-tree":                patched(good, little, 0x053162, 12),
		"72 bytes":                good[:72],
		"71 bytes":                good[:71],
	} {
		if all, _, err := packages(b); !errors.Is(err, rpmdb.ErrFormat) {
			t.Errorf("%s: %v, %d packages", name, err, len(all))
		}
	}
}

// pagesOf returns the offsets of the pages of a kind.
func pagesOf(b []byte, kind byte) (all []int) {
	const size, at = 4096, 25
	for page := size; page < len(b); page += size {
		if b[page+at] == kind {
			all = append(all, page)
		}
	}
	return all
}

func plus(all []int, n int) []int {
	all = slices.Clone(all)
	for i := range all {
		all[i] += n
	}
	return all
}

// If items or slots share bytes, reading must not take quadratic time.
func TestSharedBytes(t *testing.T) {
	t.Parallel()
	slots := database(t, "Packages.db")
	for at := 32 + 16; at < 4096; at += 16 {
		copy(slots[at:], slots[32:48])
	}
	items := database(t, "Packages")
	page := items[pagesOf(items, 13)[0]:][:4096]
	binary.LittleEndian.PutUint16(page[20:], 2000)
	for n := range 2000 { // each item reaches from the page's header to its end
		binary.LittleEndian.PutUint16(page[26+2*n:], uint16(4096-4066*(n%2)))
	}
	page[30] = 1
	for name, b := range map[string][]byte{"slots": slots, "items": items} {
		if all, _, err := packages(b); err == nil || len(all) > len(b)/500 {
			t.Errorf("%s: %v: %d packages in %d bytes", name, err, len(all), len(b))
		}
	}
}

// Real databases, the testdata of a Go module, are read as rpm -qa reads them (with its backend bdb_ro; zypper's ndb
// with another reader). That of s390x is big-endian.
func TestRealDatabases(t *testing.T) {
	t.Parallel()
	if os.Getenv("MTOOL_TEST_FULL") == "" {
		t.Skip("MTOOL_TEST_FULL is not set")
	}
	get := exec.CommandContext(t.Context(), "go", "mod", "download", "-json", "github.com/knqyf263/go-rpmdb@v0.1.1")
	get.Dir, get.Env = t.TempDir(), append(os.Environ(), "GOFLAGS=-mod=mod")
	out, err := get.Output()
	var module struct{ Dir string }
	if err != nil || json.Unmarshal(out, &module) != nil {
		t.Fatalf("%v: %s", err, out)
	}
	for name, want := range map[string][2]string{
		"centos5-plain/Packages": {
			"8c758d3afd2e0d80eedea81dd30b03069b52891f9f02db0f30369e201cb6070f",
			"c72caf591bcd4a6fe391e8683b4994ca09789405917de480eeb7fb71bf37fec3",
		},
		"centos6-many/Packages": {
			"409bd619cdeb379bbd335a9d2d494052cc2225c73119146a72820fb9db7c98f7",
			"3ea673577ea019ee09a77c7ca7822e8d5aca554e832446c446d154d9118b8e3d",
		},
		"centos7-many/Packages": {
			"5cc767863a52a4485bf59b86d7ac60f82f81b3176b8c21436bac595906102bb7",
			"944e29b03c9e2f02c8f8d911e2ac0866610707d86777c6380d1d5c26bb1993f8",
		},
		"centos8-modularitylabel/Packages": {
			"e05facdcccb1caeb91f5e8e9638c0fc42a878485c6ee2272a829c485d2fee813",
			"6750cc46d1f89b67d3f93067ce160056ffdf81f422ed7914391c46200d5c63bf",
		},
		"ubi8-s390x/Packages": {
			"7b6b7df33ec78a6c5225a28485e9cf2c320db7555e8511f3fe43a7bcfc31d932",
			"d8cf03908f85a8e57c597a0cf6971fb90f4ae9f3d7b941711ac4bc6fc8182f18",
		},
		"sle15-bci/Packages.db": {
			"650340c66aa1463ed9411b5864b3195bd47378bfa44e8df3eacd04dc88ca2999",
			"5dee4617d65175843d96fb55c0875cb16fe8eb17d98d3cb617aefc359ae4814c",
		},
	} {
		b, err := os.ReadFile(filepath.Join(module.Dir, "pkg", "testdata", name))
		if err != nil {
			t.Fatal(err)
		}
		all, files, err := packages(b)
		if got := [2]string{sum(all), sum(files)}; err != nil || got != want {
			t.Errorf("%s: %v: %d packages, %d files: %q", name, err, len(all), len(files), got)
		}
	}
}
