package store

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
)

// RemoveEmpty removes a layout that a full disk left incomplete or without content, and no other directory.
func TestRemoveEmpty(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		files map[string]string
		kept  bool
	}{
		"incomplete": {files: map[string]string{privateDir + "/x": ""}},
		"incomplete, with index": {files: map[string]string{
			privateDir + "/x": "",
			indexFile:         `{"schemaVersion":2,"manifests":[]}`,
		}},
		"empty": {files: map[string]string{
			privateDir + "/x": "",
			indexFile:         `{"schemaVersion":2,"manifests":[]}`, layoutFile: `{"imageLayoutVersion":"1.0.0"}`,
		}},
		"with a blob":  {files: map[string]string{privateDir + "/x": "", blobsDir + "/sha256/ab": "x"}, kept: true},
		"not a layout": {files: map[string]string{"notes.txt": "x"}, kept: true},
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
			if _, err := os.Stat(dir); (err == nil) != c.kept {
				t.Errorf("kept: %v, want %v", err == nil, c.kept)
			}
		})
	}
}

// Collect removes the uploads of processes that have ended, and no others.
func TestStages(t *testing.T) {
	t.Parallel()
	s := Open(t.TempDir())
	running, err := s.Stage(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	ended := filepath.Join(filepath.Dir(running.Dir), "stage-ended")
	for _, dir := range []string{running.Dir, ended} {
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
	if _, err := os.Stat(filepath.Join(running.Dir, "upload")); err != nil {
		t.Errorf("the uploads of a running process: %v", err)
	}
	if _, err := os.Stat(ended); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the uploads of an ended process: %v", err)
	}
	if err := errors.Join(running.Close(), running.Close()); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(running.Dir); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("after closing: %v", err)
	}
}
