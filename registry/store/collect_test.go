package store

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
)

// RemoveEmpty removes what a full disk left of a layout before its oci-layout file was written, and keeps one that
// names something.
func TestRemoveEmpty(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		files map[string]string
		stays bool
	}{
		"begun": {files: map[string]string{privateDir + "/x": ""}},
		"begun, with index": {files: map[string]string{
			privateDir + "/x": "",
			indexFile:         `{"schemaVersion":2,"manifests":[]}`,
		}},
		"empty": {files: map[string]string{
			privateDir + "/x": "",
			indexFile:         `{"schemaVersion":2,"manifests":[]}`, layoutFile: `{"imageLayoutVersion":"1.0.0"}`,
		}},
		"with a blob":         {files: map[string]string{privateDir + "/x": "", blobsDir + "/sha256/ab": "x"}, stays: true},
		"somebody's, no ours": {files: map[string]string{"notes.txt": "x"}, stays: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := filepath.Join(t.TempDir(), "layout")
			for path, body := range c.files {
				path = filepath.Join(dir, path)
				if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte(body), 0o600)); err != nil {
					t.Fatal(err)
				}
			}
			if err := OpenLayout(dir).RemoveEmpty(); err != nil {
				t.Error(err)
			}
			if _, err := os.Stat(dir); (err == nil) != c.stays {
				t.Errorf("stays: %v", err == nil)
			}
		})
	}
}

// A collection removes the uploads of a process that has ended, and no others.
func TestStages(t *testing.T) {
	t.Parallel()
	s := Open(t.TempDir())
	living, err := s.Stage(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	dead := filepath.Join(filepath.Dir(living.Dir), "stage-dead")
	for _, dir := range []string{living.Dir, dead} {
		if err := errors.Join(os.MkdirAll(dir, 0o700), os.WriteFile(filepath.Join(dir, "upload"), nil, 0o600)); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := s.Collect(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := OpenLayout(s.Dir()).RemoveEmpty(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(living.Dir, "upload")); err != nil {
		t.Errorf("the living: %v", err)
	}
	if _, err := os.Stat(dead); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the dead: %v", err)
	}
	if err := errors.Join(living.Close(), living.Close()); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(living.Dir); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("closed: %v", err)
	}
}
