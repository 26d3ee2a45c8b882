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
		"begun":               {files: map[string]string{privateDir + "/x": ""}},
		"begun, with index":   {files: map[string]string{privateDir + "/x": "", indexFile: `{"schemaVersion":2,"manifests":[]}`}},
		"empty":               {files: map[string]string{privateDir + "/x": "", indexFile: `{"schemaVersion":2,"manifests":[]}`, layoutFile: `{"imageLayoutVersion":"1.0.0"}`}},
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
