package workload_test

import (
	"context"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/compose-spec/compose-go/v2/loader"
	"github.com/compose-spec/compose-go/v2/types"

	"mtool/inspect/workload"
)

// composeProjects are projects of one or several files; a.yaml is the first, b.yaml and c.yaml are laid over it.
func composeProjects() map[string]map[string]string {
	return map[string]map[string]string{
		"override":                   {"a.yaml": "services: {x: {image: a}, y: {image: y}}", "b.yaml": "services: {x: {image: b}, z: {image: z}}"},
		"three":                      {"a.yaml": "services: {x: {image: a, platform: linux/amd64}}", "b.yaml": "services: {x: {image: b}}", "c.yaml": "services: {x: {platform: linux/arm64}}"},
		"reset of an image":          {"a.yaml": "services: {x: {image: a, build: .}}", "b.yaml": "services: {x: {image: !reset null}}"},
		"reset of a service":         {"a.yaml": "services: {x: {image: a}, y: {image: y}}", "b.yaml": "services: {x: !reset null}"},
		"override of a service":      {"a.yaml": "services: {x: {image: a, platform: linux/amd64}}", "b.yaml": "services: {x: !override {image: b}}"},
		"override of all":            {"a.yaml": "services: {x: {image: a}, y: {image: y}}", "b.yaml": "services: !override {z: {image: z}}"},
		"reset in one file":          {"a.yaml": "services: {x: {image: !reset null, build: .}}"},
		"null":                       {"a.yaml": "services: {x: {image: a}}", "b.yaml": "services: {x: {image: null}}"},
		"extends":                    {"a.yaml": "services: {x: {extends: y}, y: {image: y, platform: linux/arm64}}"},
		"extends over":               {"a.yaml": "services: {x: {extends: {service: y}, image: own}, y: {image: y, platform: linux/arm64}}"},
		"extends a file":             {"a.yaml": "services: {x: {extends: {file: sub/d.yaml, service: y}}}", "sub/d.yaml": "services: {y: {image: y, extends: {file: e.yaml, service: z}}}", "sub/e.yaml": "services: {z: {image: z, platform: linux/arm64}}"},
		"extends in the second":      {"a.yaml": "services: {x: {image: a}, y: {image: y}}", "b.yaml": "services: {x: {extends: z}, z: {image: z, platform: linux/arm64}}"},
		"reset over extends":         {"a.yaml": "services: {x: {extends: y, image: !reset null, build: .}, y: {image: y}}"},
		"include":                    {"a.yaml": "include: [sub/d.yaml]\nservices: {x: {image: a}}", "sub/d.yaml": "services: {y: {image: 'y:${TAG}'}}", "sub/.env": "TAG=in"},
		"include that is overridden": {"a.yaml": "include: [{path: [d.yaml, e.yaml]}]\nservices: {x: {image: a}}", "d.yaml": "services: {y: {image: y}, z: {image: z}}", "e.yaml": "services: {y: {image: e}}"},
		"include of what is there":   {"a.yaml": "include: [d.yaml]\nservices: {x: {platform: linux/arm64}}", "d.yaml": "services: {x: {image: d}}"},
		"extends what is included":   {"a.yaml": "include: [d.yaml]\nservices: {x: {extends: y, platform: linux/arm64}}", "d.yaml": "services: {y: {image: d}}"},
		"include in the second":      {"a.yaml": "services: {x: {image: a}}", "b.yaml": "include: [d.yaml]\nservices: {x: {platform: linux/arm64}}", "d.yaml": "services: {y: {image: d}}"},
		"variables":                  {"a.yaml": "services: {x: {image: 'a:${TAG:-v1}'}, y: {image: '${NO-y}${TAG:+t}'}, z: {image: 'z:$TAG$$'}}", ".env": "TAG=v2"},
		"merge keys":                 {"a.yaml": "x-base: &b {image: b, platform: linux/arm64}\nservices: {x: {<<: *b}, y: {<<: *b, image: y}, z: {image: z, <<: *b}}"},
		"image volumes":              {"a.yaml": "services: {x: {image: a, volumes: [{type: image, source: v, target: /v}, {type: image, source: w, target: /w}]}}", "b.yaml": "services: {x: {volumes: [{type: image, source: n, target: /v}]}}"},
		"volumes that are reset":     {"a.yaml": "services: {x: {image: a, volumes: [{type: image, source: v, target: /v}]}}", "b.yaml": "services: {x: {volumes: !override [{type: image, source: n, target: /n}]}}"},
		"contexts":                   {"a.yaml": "services: {x: {image: a, build: {context: ., additional_contexts: {base: 'docker-image://c'}}}}", "b.yaml": "services: {x: {build: {additional_contexts: ['more=docker-image://d']}}}"},
		"profiles":                   {"a.yaml": "services: {x: {image: a, profiles: [debug]}, y: {image: y}}"},
		"two documents":              {"a.yaml": "services: {x: {image: a}}\n---\nservices: {x: {image: b}, y: {image: y}}"},
	}
}

// What a project names is what compose-go reads, which docker compose is made of.
func TestComposeOracle(t *testing.T) {
	t.Parallel()
	for name, files := range composeProjects() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			for path, text := range files {
				if err := os.MkdirAll(filepath.Dir(filepath.Join(dir, path)), 0o750); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(filepath.Join(dir, path), []byte(text), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			var order []string
			for _, one := range []string{"a.yaml", "b.yaml", "c.yaml"} {
				if files[one] != "" {
					order = append(order, one)
				}
			}
			if got, want := oursOf(t, files, order), theirsOf(t, dir, files, order); got != want {
				t.Errorf("got\n%s\ncompose-go has\n%s", got, want)
			}
		})
	}
}

func oursOf(t *testing.T, files map[string]string, order []string) string {
	t.Helper()
	o := workload.Options{Read: func(path string) ([]byte, error) {
		if text, ok := files[path]; ok {
			return []byte(text), nil
		}
		return nil, fs.ErrNotExist
	}}
	for _, name := range order[1:] {
		o.Over = append(o.Over, workload.File{Name: name, Data: []byte(files[name])})
	}
	found, err := workload.Read(order[0], []byte(files[order[0]]), o)
	if err != nil {
		t.Fatal(err)
	}
	var lines []string
	for _, u := range found.Uses {
		line := u.What + ": " + u.Image
		if u.Platform.OS != "" {
			line += " " + u.Platform.String()
		}
		lines = append(lines, line)
	}
	slices.Sort(lines)
	return strings.Join(lines, "\n")
}

func theirsOf(t *testing.T, dir string, files map[string]string, order []string) string {
	t.Helper()
	details := types.ConfigDetails{WorkingDir: dir, Environment: types.Mapping{}}
	if tag, ok := strings.CutPrefix(files[".env"], "TAG="); ok {
		details.Environment["TAG"] = tag
	}
	for _, name := range order {
		details.ConfigFiles = append(details.ConfigFiles, types.ConfigFile{Filename: filepath.Join(dir, name)})
	}
	project, err := loader.LoadWithContext(context.Background(), details, func(o *loader.Options) {
		o.SetProjectName("x", true)
		o.Profiles = []string{"*"}
	})
	if err != nil {
		t.Fatal(err)
	}
	var lines []string
	for name, s := range project.AllServices() {
		if s.Image != "" {
			lines = append(lines, strings.TrimSpace(fmt.Sprintf("service %s: %s %s", name, s.Image, s.Platform)))
		}
		for _, v := range s.Volumes {
			if v.Type == "image" {
				lines = append(lines, fmt.Sprintf("service %s, volume %s: %s", name, v.Target, v.Source))
			}
		}
		if s.Build == nil {
			continue
		}
		for _, context := range slices.Sorted(maps.Values(s.Build.AdditionalContexts)) {
			lines = append(lines, fmt.Sprintf("service %s, build context: %s", name, strings.TrimPrefix(context, "docker-image://")))
		}
	}
	slices.Sort(lines)
	return strings.Join(lines, "\n")
}
