package archive_test

import (
	"archive/tar"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"mtool/registry"
	"mtool/registry/archive"
	"mtool/registry/registrytest"
)

// entry is one member of a tar, unchanged.
type entry struct {
	header tar.Header
	data   []byte
}

// members returns the files of a tar as entries.
func members(t *testing.T, data []byte) []entry {
	t.Helper()
	names, files := untar(t, data)
	var all []entry
	for _, name := range names {
		all = append(all, member(name, files[name]))
	}
	return all
}

func member(name string, data []byte) entry {
	return entry{tar.Header{Name: name, Mode: 0o644}, data}
}

func link(name, target string, kind byte) entry {
	return entry{tar.Header{Name: name, Linkname: target, Typeflag: kind}, nil}
}

func pack(t *testing.T, entries ...entry) []byte {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, e := range entries {
		e.header.Size = int64(len(e.data))
		if err := w.WriteHeader(&e.header); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write(e.data); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return bytes.ReplaceAll(b.Bytes(), []byte(notSparse), []byte("GNU.sparse."))
}

// notSparse replaces a keyword that archive/tar does not write.
const notSparse = "GNU_sparse."

// sparse returns a sparse file, whose data starts with a map; here the map has one block with all data.
// https://www.gnu.org/software/tar/manual/html_node/PAX-1.html
func sparse(name string, data []byte) entry {
	size := strconv.Itoa(len(data))
	records := map[string]string{}
	for key, value := range map[string]string{"major": "1", "minor": "0", "name": name, "realsize": size} {
		records[notSparse+key] = value
	}
	blockMap := make([]byte, 512)
	copy(blockMap, "1\n0\n"+size+"\n")
	return entry{tar.Header{Name: "x", Mode: 0o644, PAXRecords: records}, append(blockMap, data...)}
}

func without(entries []entry, name string) []entry {
	return slices.DeleteFunc(slices.Clone(entries), func(e entry) bool { return e.header.Name == name })
}

// table returns a manifest.json with the paths of the images' blobs, as Docker Engine 25 and later writes it.
func table(t *testing.T, images map[string]registrytest.Built) []byte {
	t.Helper()
	var rows []map[string]any
	for _, tag := range slices.Sorted(maps.Keys(images)) {
		var m v1.Manifest
		if err := json.Unmarshal(images[tag].Manifest.Body, &m); err != nil {
			t.Fatal(err)
		}
		layers := []string{}
		for _, l := range m.Layers {
			layers = append(layers, "blobs/sha256/"+l.Digest.Hex)
		}
		rows = append(rows,
			map[string]any{"Config": "blobs/sha256/" + m.Config.Digest.Hex, "RepoTags": []string{tag}, "Layers": layers})
	}
	data, err := json.Marshal(rows)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// blobs returns the blobs of an image as members.
func blobs(b registrytest.Built) []entry {
	var all []entry
	for _, d := range b.Order {
		all = append(all, member("blobs/sha256/"+d.Digest.Hex, b.Blobs[d.Digest]))
	}
	return all
}

// A file that programs read as different images is refused, and its honest twin is accepted.
func TestAmbiguousArchives(t *testing.T) {
	t.Parallel()
	honest, liar := image(amd64, "honest"), image(amd64, "liar")
	dir := t.TempDir()
	write(t, "oci-archive:"+dir+"/oci.tar", map[string]registrytest.Built{"v1": honest})
	oci := members(t, load(t, dir+"/oci.tar"))
	write(t, "oci-archive:"+dir+"/two.tar", map[string]registrytest.Built{"v1": honest, "v2": liar})
	two := members(t, load(t, dir+"/two.tar"))
	docker := members(t, registrytest.DockerArchive(registrytest.Tagged{Built: honest, Tags: []string{"demo:v1"}}))
	of := func(images map[string]registrytest.Built) entry { return member("manifest.json", table(t, images)) }
	find := func(entries []entry, suffix string) entry {
		i := slices.IndexFunc(entries, func(e entry) bool { return strings.HasSuffix(e.header.Name, suffix) })
		return entries[i]
	}
	index, manifest, config := find(oci, "index.json"), find(docker, "manifest.json"), find(docker, ".json")
	edit := func(e entry, from, to string) entry {
		if !bytes.Contains(e.data, []byte(from)) {
			t.Fatalf("no %s in %s", from, e.data)
		}
		e.data = bytes.Replace(e.data, []byte(from), []byte(to), 1)
		return e
	}
	odd := entry{tar.Header{Name: "x", Typeflag: tar.TypeCont}, []byte("x")}
	for name, c := range map[string]struct{ liar, twin []entry }{
		"two tables": {
			append(append(slices.Clone(oci), blobs(liar)...), of(map[string]registrytest.Built{"v1": liar})),
			append(slices.Clone(oci), of(map[string]registrytest.Built{"v1": honest})),
		},
		"two names": {
			append(append(slices.Clone(oci), blobs(liar)...), of(map[string]registrytest.Built{"w1": liar})),
			append(slices.Clone(oci), of(map[string]registrytest.Built{"w1": honest})),
		},
		"names swapped": {
			append(slices.Clone(two), of(map[string]registrytest.Built{"v1": liar})),
			append(slices.Clone(two), of(map[string]registrytest.Built{"v1": honest, "v2": liar})),
		},
		"member twice": {
			append(slices.Clone(docker), edit(manifest, "demo:v1", "demo:v2")),
			append(slices.Clone(docker), manifest),
		},
		"with ./": {
			append(slices.Clone(docker), member("./manifest.json", []byte("[]"))),
			append(slices.Clone(docker), member("./manifest.json", manifest.data)),
		},
		"with a slash": {
			append(slices.Clone(oci), member("/index.json", []byte(`{"manifests":[]}`))),
			append(slices.Clone(oci), member("/index.json", index.data)),
		},
		"a longer member": {
			append(slices.Clone(oci), member("index.json", append(slices.Clone(index.data), ' '))),
			append(slices.Clone(oci), index),
		},
		"a sparse table": {append(without(docker, "manifest.json"), sparse("manifest.json", manifest.data)), docker},
		"config twice":   {append([]entry{edit(config, "linux", "Linux")}, docker...), append([]entry{config}, docker...)},
		"odd kind first": {append([]entry{{tar.Header{Name: "manifest.json", Typeflag: tar.TypeCont}, manifest.data}},
			docker...), append([]entry{odd}, docker...)},
		"a linked table": {append(without(docker, "manifest.json"), member("x", manifest.data),
			link("manifest.json", "x", tar.TypeLink)), append(slices.Clone(docker), link("y", "manifest.json", tar.TypeLink))},
		"a linked config": {
			append(without(docker, config.header.Name), member("x", config.data),
				link(config.header.Name, "x", tar.TypeSymlink)),
			append(slices.Clone(docker), link("y", config.header.Name, tar.TypeSymlink)),
		},
		"a row twice": {
			append(without(oci, "index.json"), edit(index, `"manifests"`, `"Manifests":[],"manifests"`)),
			oci,
		},
		"a config twice": {
			append(without(docker, "manifest.json"), edit(manifest, `"Config"`, `"config":"x","Config"`)),
			docker,
		},
		"a digest twice": {append(without(oci, "index.json"),
			edit(index, `"digest"`, `"digest":"`+liar.Digest().String()+`","digest"`)), oci},
		"LAYERS": {append(without(docker, "manifest.json"), edit(manifest, `"Layers"`, `"LAYERS"`)), docker},
	} {
		for kind, entries := range map[string][]entry{"liar": c.liar, "twin": c.twin} {
			file := fmt.Sprintf("%s/%s %s.tar", dir, strings.ReplaceAll(name, "/", ""), kind)
			save(t, file, pack(t, entries...))
			ref := registry.Ref{Transport: registry.TransportArchive, Path: file}
			if strings.Contains(name, "two") || strings.Contains(name, "swapped") {
				ref.Tag = "v1"
			}
			o, err := archive.Open(t.Context(), ref)
			_ = o.Close()
			if kind == "liar" && !errors.Is(err, registry.ErrContent) || kind == "twin" && err != nil {
				t.Errorf("%s: %s: %v", name, kind, err)
			}
		}
	}
}

// apko adds an index.json to its Docker archives. Without a file oci-layout they are not OCI archives.
func TestDockerArchiveWithIndex(t *testing.T) {
	t.Parallel()
	b, file := image(amd64, "1"), t.TempDir()+"/apko.tar"
	docker := members(t, registrytest.DockerArchive(registrytest.Tagged{Built: b, Tags: []string{"demo:v1"}}))
	list := registrytest.ListOf(b)
	save(t, file,
		pack(t, append(docker, member(b.Digest().String(), b.Manifest.Body), member("index.json", list.Manifest.Body))...))
	if o := open(t, "docker-archive:"+file+":demo:v1"); o.Ref.Transport != registry.TransportDockerArchive {
		t.Errorf("read as %s", o.Ref.Transport)
	}
}
