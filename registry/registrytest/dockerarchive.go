package registrytest

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"io"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// Tagged is an image with its names in a Docker archive ("demo:v1").
type Tagged struct {
	Built
	Tags []string
	// Packed keeps the layers gzipped. docker save decompresses them.
	Packed bool
}

// DockerArchive returns an archive as of docker save before Docker 25: configs, layers, and a manifest.json with their
// paths.
func DockerArchive(images ...Tagged) []byte {
	type entry struct {
		Config   string
		RepoTags []string
		Layers   []string
	}
	var entries []entry
	var names []string
	files := map[string][]byte{}
	add := func(name string, data []byte) string {
		if _, ok := files[name]; !ok {
			names = append(names, name)
		}
		files[name] = data
		return name
	}
	for _, image := range images {
		var m v1.Manifest
		must(json.Unmarshal(image.Manifest.Body, &m))
		e := entry{RepoTags: image.Tags, Config: add(m.Config.Digest.Hex+".json", image.Blobs[m.Config.Digest])}
		for _, layer := range m.Layers {
			data := image.Blobs[layer.Digest]
			if !image.Packed {
				data = gunzip(data)
			}
			e.Layers = append(e.Layers, add(layer.Digest.Hex+"/layer.tar", data))
		}
		entries = append(entries, e)
	}
	add("manifest.json", encode(entries))
	return Tar(names, files)
}

func gunzip(data []byte) []byte {
	r, err := gzip.NewReader(bytes.NewReader(data))
	must(err)
	plain, err := io.ReadAll(r)
	must(err)
	return plain
}
