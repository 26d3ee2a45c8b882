package registry

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"strings"
)

// Kinds of ErrContent.
var (
	// ErrNotJSON is content that is not JSON at all, so no program takes it for a manifest.
	ErrNotJSON = errors.New("not JSON")
	// ErrAmbiguous is JSON that different programs read in different ways.
	ErrAmbiguous = errors.New("ambiguous")
)

// maxNames limits the members of one object, which are kept in memory during the check.
const maxNames = 300_000

// CheckManifest refuses a manifest, a list or an index.json that two programs could read in two ways: one with a member
// twice, or with a member whose name differs from a known one only in case. Go takes the last member and folds the
// case; other parsers take the first and don't. The error wraps ErrContent, and ErrAmbiguous or ErrNotJSON.
func CheckManifest(body []byte) error { return checkNames(body, manifestShape()) }

// CheckDescriptor is CheckManifest for one row of a list.
func CheckDescriptor(body []byte) error { return checkNames(body, descriptorShape()) }

// CheckConfig is CheckManifest for the config of an image.
func CheckConfig(body []byte) error { return checkNames(body, configShape()) }

// CheckDockerArchive is CheckManifest for the manifest.json of a Docker archive.
func CheckDockerArchive(body []byte) error {
	return checkNames(body, words("Config", "RepoTags", "Layers").with("LayerSources", shape{}))
}

// CheckJSON is CheckManifest for an object with these members.
func CheckJSON(body []byte, names ...string) error { return checkNames(body, words(names...)) }

// shape lists the members of an object that are read, and what is in them; an array has the shape of its elements.
// Without words the members have names of the author's own, and only duplicates are refused.
type shape struct {
	words map[string]shape
	// anyCase accepts a word in another case, as long as it occurs once: every container runtime reads it.
	anyCase bool
}

func words(names ...string) shape {
	s := shape{words: map[string]shape{}}
	for _, name := range names {
		s.words[name] = shape{}
	}
	return s
}

func (s shape) with(name string, inner shape) shape {
	s.words = maps.Clone(s.words)
	s.words[name] = inner
	return s
}

// word returns the known name that name matches for a reader that folds case.
func (s shape) word(name string) (string, bool) {
	if _, ok := s.words[name]; ok {
		return name, true
	}
	for word := range s.words {
		if strings.EqualFold(word, name) {
			return word, true
		}
	}
	return "", false
}

func descriptorShape() shape {
	return words("mediaType", "digest", "size", "urls", "data", "artifactType", "annotations").
		with("platform", words("architecture", "os", "os.version", "os.features", "variant", "features"))
}

func manifestShape() shape {
	d := descriptorShape()
	return words("schemaVersion", "mediaType", "artifactType", "annotations", "fsLayers", "history", "signatures").
		with("config", d).with("layers", d).with("blobs", d).with("manifests", d).with("subject", d)
}

func configShape() shape {
	run := words("Entrypoint", "Cmd", "Env", "WorkingDir", "User", "Labels", "Volumes", "ExposedPorts", "Shell",
		"StopSignal").
		with("Healthcheck", shape{words: words("Test").words, anyCase: true})
	run.anyCase = true // written by hand in build rules, where nobody notices
	return words("architecture", "os", "os.version", "os.features", "variant").
		with("rootfs", words("type", "diff_ids")).with("config", run)
}

func checkNames(body []byte, s shape) error {
	if !json.Valid(body) {
		var v struct{} // only for the text of the error
		return &namesError{fmt.Errorf("%w: %w", ErrNotJSON, json.Unmarshal(body, &v)), ErrNotJSON}
	}
	n := nameScanner{body: body}
	if err := n.value(s); err != nil {
		return &namesError{err, ErrAmbiguous}
	}
	return nil
}

// namesError is an ErrContent with a text of its own.
type namesError struct {
	error
	kind error
}

func (e *namesError) Unwrap() []error { return []error{ErrContent, e.kind} }

// nameScanner walks over valid JSON.
type nameScanner struct {
	body []byte
	at   int
}

// next returns the next byte that is not white space, without consuming it.
func (n *nameScanner) next() byte {
	for strings.IndexByte(" \t\r\n", n.body[n.at]) >= 0 {
		n.at++
	}
	return n.body[n.at]
}

func (n *nameScanner) value(s shape) error {
	switch n.next() {
	case '{':
		return n.object(s)
	case '[':
		return n.array(s)
	case '"':
		n.text()
		return nil
	}
	for n.at < len(n.body) && strings.IndexByte(",]} \t\r\n", n.body[n.at]) < 0 { // a number, true, false, null
		n.at++
	}
	return nil
}

func (n *nameScanner) array(s shape) error {
	n.at++
	for n.next() != ']' {
		if err := n.value(s); err != nil {
			return err
		}
		if n.next() == ',' {
			n.at++
		}
	}
	n.at++
	return nil
}

func (n *nameScanner) object(s shape) error {
	n.at++
	seen := map[string]string{}
	for n.next() != '}' {
		name := n.name()
		word, known := s.word(name)
		if !known {
			word = name
		}
		if first, twice := seen[word]; twice {
			return fmt.Errorf("it has %q twice%s: programs read it in different ways", name, also(first, name))
		}
		if known && word != name && !s.anyCase {
			return fmt.Errorf("it has %q instead of %q: programs read it in different ways", name, word)
		}
		if seen[word] = name; len(seen) > maxNames {
			return fmt.Errorf("more than %d members in one object", maxNames)
		}
		n.next()
		n.at++ // the colon
		if err := n.value(s.words[word]); err != nil {
			return err
		}
		if n.next() == ',' {
			n.at++
		}
	}
	n.at++
	return nil
}

func also(first, name string) string {
	if first == name {
		return ""
	}
	return fmt.Sprintf(" (and as %q)", first)
}

// name returns the name of a member as readers see it, without escapes.
func (n *nameScanner) name() string {
	raw := n.text()
	var name string
	if err := json.Unmarshal(raw, &name); err != nil { // it is valid
		return string(raw)
	}
	return name
}

// text returns a string with its quotes.
func (n *nameScanner) text() []byte {
	start := n.at
	for n.at++; n.body[n.at] != '"'; n.at++ {
		if n.body[n.at] == '\\' {
			n.at++
		}
	}
	n.at++
	return n.body[start:n.at]
}
