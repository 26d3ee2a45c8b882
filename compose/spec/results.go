package spec

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
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
	Digest    v1.Hash `json:"digest"`
	Image     string  `json:"image,omitempty"` // the image's own digest, if Digest includes attestations
	Platform  string  `json:"platform"`
	MediaType string  `json:"mediaType,omitempty"`
	Size      int64   `json:"size,omitempty"`
	Version   string  `json:"version,omitempty"` // of what was built; results of one list have the same
	Ref       string  `json:"ref,omitempty"`     // the name that the image was given
	Run       string  `json:"run,omitempty"`     // of the pipeline that built it; results of one list have the same

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
		if r.Repo == "" || r.Digest == (v1.Hash{}) {
			return nil, errors.New("it does not name an image: repo and digest are needed")
		}
		var err error
		if r.Claim, err = platform.Parse(r.Platform); err != nil {
			return nil, err
		}
	}
	return some, nil
}

// CheckOptions say what results must have in common, in addition to their version.
type CheckOptions struct {
	Want []v1.Platform // all of these must exist
	Any  bool          // results of several runs and repositories may be mixed
}

// CheckResults checks that results belong together: it reports two results of one platform, different versions,
// repositories or runs, and platforms that no result has. All faults are reported; the errors wrap
// registry.ErrContent.
func CheckResults(results []Result, o CheckOptions) error {
	var errs []error
	wrong := func(format string, args ...any) {
		errs = append(errs, fmt.Errorf("%w: %s", registry.ErrContent, fmt.Sprintf(format, args...)))
	}
	for i, r := range results {
		for _, before := range results[:i] {
			if platform.Equal(before.Claim, r.Claim) {
				wrong("two results for %s: %s and %s", platform.Format(r.Claim), before.File, r.File)
			}
		}
		if r.Version != results[0].Version {
			wrong("%s is a result of version %q, %s of version %q", r.File, r.Version, results[0].File, results[0].Version)
		}
		if !o.Any && r.Repo != results[0].Repo {
			wrong("%s is a result in %q, %s in %q", r.File, r.Repo, results[0].File, results[0].Repo)
		}
		if !o.Any && r.Run != results[0].Run {
			wrong("%s is a result of run %q, %s of run %q: left over?", r.File, r.Run, results[0].File, results[0].Run)
		}
	}
	for _, w := range o.Want {
		if !anySatisfies(results, w) {
			wrong("no result for %s", platform.Format(w))
		}
	}
	return errors.Join(errs...)
}

func anySatisfies(results []Result, want v1.Platform) bool {
	for _, r := range results {
		if platform.Satisfies(r.Claim, want) {
			return true
		}
	}
	return false
}
