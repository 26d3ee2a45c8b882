package archive_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"mtool/registry"
	"mtool/registry/archive"
	"mtool/registry/registrytest"
)

// For random archives, the libraries of crane, skopeo and podman read the same image as mtool, or mtool refuses the
// archive. To show that the archives can find a fault, a reader that takes the last of two members must fail.
func TestReadersAgree(t *testing.T) {
	t.Parallel()
	readers := registrytest.StartReaders(t)
	rounds, seed := registrytest.Rounds(t, 500)
	m := newMixture(t, seed)
	file := t.TempDir() + "/mixed.tar"
	accepted, compared, caught := 0, 0, 0
	for range rounds {
		entries := m.archive()
		save(t, file, pack(t, entries...))
		answers := readers.Ask(map[string]any{"archive": file})
		if ours := configOf(t, file); ours != "" {
			accepted++
			for reader, theirs := range answers {
				if theirs != "" {
					compared++
				}
				if theirs != "" && theirs != ours {
					t.Errorf("%s reads %s and mtool reads %s from %q", reader, theirs, ours, names(entries))
				}
			}
		}
		save(t, file, pack(t, last(entries)...))
		if mutant := configOf(t, file); mutant != "" {
			for _, theirs := range answers {
				if theirs != "" && theirs != mutant {
					caught++
				}
			}
		}
	}
	t.Logf("%d of %d archives accepted, %d answers compared; %d caught the mutant", accepted, rounds, compared, caught)
	if accepted < rounds/10 || compared < accepted/2 || caught == 0 {
		t.Error("too few archives were accepted or compared, or none caught the mutant")
	}
}

// configOf returns the config of the image that mtool reads, "" if it refuses the file.
func configOf(t *testing.T, file string) string {
	t.Helper()
	o, err := archive.Open(t.Context(), registry.Ref{Transport: registry.TransportArchive, Path: file})
	if err != nil {
		return ""
	}
	defer o.Close()
	var body struct {
		Config    v1.Descriptor
		Manifests []v1.Descriptor
	}
	if err := json.Unmarshal(o.Root.Body, &body); err != nil {
		t.Fatal(err)
	}
	return body.Config.Digest.String()
}

// last returns the entries without those that a later one of the same name replaces.
func last(entries []entry) []entry {
	var kept []entry
	for i, e := range entries {
		if !slices.ContainsFunc(entries[i+1:], func(o entry) bool { return clean(o.header.Name) == clean(e.header.Name) }) {
			kept = append(kept, e)
		}
	}
	return kept
}

func clean(name string) string {
	for _, prefix := range []string{"./", "/"} {
		if len(name) > len(prefix) && name[:len(prefix)] == prefix {
			return name[len(prefix):]
		}
	}
	return name
}

func names(entries []entry) []string {
	var all []string
	for _, e := range entries {
		all = append(all, e.header.Name)
	}
	return all
}

// mixture makes random archives from the members of two images.
type mixture struct {
	*rand.Rand
	bases [][]entry
	more  []entry
}

func newMixture(t *testing.T, seed uint64) *mixture {
	t.Helper()
	m := &mixture{Rand: rand.New(rand.NewPCG(seed, 0))}
	dir := t.TempDir()
	for i, seed := range []string{"honest", "liar"} {
		b := image(amd64, seed)
		write(t, fmt.Sprintf("oci-archive:%s/%d.tar", dir, i), map[string]registrytest.Built{"v1": b})
		oci := members(t, load(t, fmt.Sprintf("%s/%d.tar", dir, i)))
		docker := members(t, registrytest.DockerArchive(registrytest.Tagged{Built: b, Tags: []string{"demo:v1"}}))
		tables := member("manifest.json", table(t, map[string]registrytest.Built{"demo:v1": b}))
		m.bases = append(m.bases, oci, docker, append(slices.Clone(oci), tables))
		m.more = append(m.more, tables)
		m.more = append(m.more, oci...)
		m.more = append(m.more, docker...)
	}
	return m
}

// archive returns a random base with members added, renamed, linked or removed.
func (m *mixture) archive() []entry {
	entries := slices.Clone(m.bases[m.IntN(len(m.bases))])
	if m.IntN(2) == 0 { // with another image's members after it
		entries = append(entries, m.bases[m.IntN(len(m.bases))]...)
	}
	for range m.IntN(4) {
		e := m.more[m.IntN(len(m.more))]
		switch m.IntN(8) {
		case 0:
			e.header.Name = "./" + e.header.Name
		case 1:
			e.header.Name = "/" + e.header.Name
		case 2:
			e.header.Typeflag, e.header.Linkname, e.data = '2', m.more[m.IntN(len(m.more))].header.Name, nil
		case 3:
			e.header.Typeflag, e.header.Linkname, e.data = '1', m.more[m.IntN(len(m.more))].header.Name, nil
		case 4:
			e.header.Typeflag = '7'
		}
		at := m.IntN(len(entries) + 1)
		entries = slices.Insert(entries, at, e)
	}
	if m.IntN(4) == 0 {
		at := m.IntN(len(entries))
		entries = slices.Delete(entries, at, at+1)
	}
	return entries
}
