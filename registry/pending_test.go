package registry

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"
)

func TestWriteFile(t *testing.T) {
	t.Parallel()
	fail := errors.New("write failed")
	for name, test := range map[string]struct {
		options WriteOptions // Temp is relative to the test's directory
		err     error
		want    string
	}{
		"default":        {want: "new"},
		"mode":           {options: WriteOptions{Mode: 0o400}, want: "new"},
		"fixed name":     {options: WriteOptions{Temp: "left", NoSync: true}, want: "new"},
		"failed":         {err: fail, want: "old"},
		"failed, fixed":  {options: WriteOptions{Temp: "left"}, err: fail, want: "old"},
		"missing folder": {options: WriteOptions{Temp: "none/left"}, err: os.ErrNotExist, want: "old"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			path := filepath.Join(dir, "file")
			if err := os.WriteFile(path, []byte("old"), 0o600); err != nil {
				t.Fatal(err)
			}
			if test.options.Temp == "left" { // left by a killed process
				if err := os.WriteFile(filepath.Join(dir, "left"), []byte("a longer temporary file"), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			if test.options.Temp != "" {
				test.options.Temp = filepath.Join(dir, test.options.Temp)
			}
			err := WriteFile(path, test.options, func(w io.Writer) error {
				_, err := io.WriteString(w, "new")
				return errors.Join(err, test.err)
			})
			if !errors.Is(err, test.err) || test.err == nil && err != nil {
				t.Errorf("got %v, want %v", err, test.err)
			}
			got, err := os.ReadFile(path)
			if string(got) != test.want || err != nil {
				t.Errorf("got content %q, %v; want %q", got, err, test.want)
			}
			info, err := os.Stat(path)
			if want := test.options.Mode; err != nil || want != 0 && info.Mode() != want {
				t.Errorf("got mode %s, %v; want %s", info.Mode(), err, want)
			}
			if entries, err := os.ReadDir(dir); len(entries) != 1 || err != nil {
				t.Errorf("got files %v, %v; want one", entries, err)
			}
		})
	}
}
