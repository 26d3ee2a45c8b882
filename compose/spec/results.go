package spec

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"mtool/inspect/platform"
	"mtool/registry"
)

// ResultSchema is the format of result files.
const ResultSchema = "mtool.result/v1"

// Result is one image that a build made, as recorded for the job that makes the list.
type Result struct {
	Schema    string  `json:"schema"`
	Repo      string  `json:"repo"`
	Digest    v1.Hash `json:"digest,omitzero"`
	Image     string  `json:"image,omitempty"` // the image's own digest, if Digest includes attestations
	Platform  string  `json:"platform"`
	MediaType string  `json:"mediaType,omitempty"`
	Size      int64   `json:"size,omitempty"`
	Version   string  `json:"version,omitempty"` // of what was built; results of one list have the same
	Ref       string  `json:"ref,omitempty"`     // the name that the image was given
	Run       string  `json:"run,omitempty"`     // of the pipeline that built it; results of one list have the same
	Missing   string  `json:"missing,omitempty"` // why an optional platform was not built; there is no digest then

	// File is where the result was read, for errors.
	File string `json:"-"`
	// Claim is Platform, parsed.
	Claim v1.Platform `json:"-"`
}

// Name is the image by digest.
func (r Result) Name() string { return r.Repo + "@" + r.Digest.String() }

// FileName is acme-demo_v1_linux-arm-v7.json: repository, version and platform in full, so that the files of all builds
// fit into one folder. version is the one to use if the result has none.
func (r Result) FileName(version string) string {
	_, path, _ := strings.Cut(r.Repo, "/")
	words := []string{path, cmp.Or(r.Version, version), r.Platform}
	words = slices.DeleteFunc(words, func(word string) bool { return word == "" })
	return strings.NewReplacer("/", "-", ":", "-", " ", "-").Replace(strings.Join(words, "_")) + ".json"
}

// WriteResults writes results in sequence, as ParseResults reads them.
func WriteResults(w io.Writer, results ...Result) error {
	encoder := json.NewEncoder(w)
	encoder.SetIndent("", "  ")
	encoder.SetEscapeHTML(false)
	for _, r := range results {
		if err := encoder.Encode(r); err != nil {
			return err
		}
	}
	return nil
}

// SaveResults writes the results into a file or, if path is a folder, each into its own file there.
func SaveResults(path, version string, results []Result) error {
	files := map[string][]Result{path: results}
	if info, err := os.Stat(path); err == nil && info.IsDir() {
		clear(files)
		for _, r := range results {
			name := filepath.Join(path, r.FileName(version))
			files[name] = append(files[name], r)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(files)) {
		err := registry.WriteFile(name, registry.WriteOptions{Mode: 0o644},
			func(w io.Writer) error { return WriteResults(w, files[name]...) })
		if err != nil {
			return fmt.Errorf("writing %q: %w", name, err)
		}
	}
	return nil
}

// ParseResults reads one file: a result, several in sequence, or an array of them. Anything else is an error that
// wraps registry.ErrContent.
func ParseResults(name string, data []byte) ([]Result, error) {
	var all []Result
	dec := json.NewDecoder(bytes.NewReader(data))
	for {
		var raw json.RawMessage
		err := dec.Decode(&raw)
		if errors.Is(err, io.EOF) && len(all) > 0 {
			return all, nil
		}
		var some []Result
		if err == nil {
			some, err = decodeResults(name, raw)
		}
		if err != nil {
			return nil, fmt.Errorf("reading result file %q: %w: %w", name, registry.ErrContent, err)
		}
		all = append(all, some...)
	}
}

func decodeResults(name string, raw json.RawMessage) ([]Result, error) {
	if raw[0] != '[' {
		raw = append(append([]byte{'['}, raw...), ']')
	}
	var some []Result
	if err := json.Unmarshal(raw, &some); err != nil {
		return nil, err
	}
	if len(some) == 0 {
		return nil, errors.New("it holds no result")
	}
	for i := range some {
		r := &some[i]
		r.File = name
		if r.Schema != ResultSchema {
			return nil, fmt.Errorf("its schema is %q, want %q", r.Schema, ResultSchema)
		}
		if r.Repo == "" || (r.Digest == (v1.Hash{})) == (r.Missing == "") {
			return nil, errors.New("it does not name an image: repo and digest are needed")
		}
		var err error
		if r.Claim, err = platform.Parse(r.Platform); err != nil {
			return nil, err
		}
	}
	return some, nil
}
