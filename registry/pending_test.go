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
	fail := errors.New("out of words")
	for name, test := range map[string]struct {
		options WriteOptions // Temp is below the test's folder
		fails   error
		want    string
	}{
		"whole":          {want: "new"},
		"mode":           {options: WriteOptions{Mode: 0o400}, want: "new"},
		"a fixed name":   {options: WriteOptions{Temp: "left", NoSync: true}, want: "new"},
		"not at all":     {fails: fail, want: "old"},
		"not by a name":  {options: WriteOptions{Temp: "left"}, fails: fail, want: "old"},
		"no such folder": {options: WriteOptions{Temp: "none/left"}, fails: os.ErrNotExist, want: "old"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			path := filepath.Join(dir, "file")
			if err := os.WriteFile(path, []byte("old"), 0o600); err != nil {
				t.Fatal(err)
			}
			if test.options.Temp == "left" { // by a killed process
				if err := os.WriteFile(filepath.Join(dir, "left"), []byte("half of something long"), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			if test.options.Temp != "" {
				test.options.Temp = filepath.Join(dir, test.options.Temp)
			}
			err := WriteFile(path, test.options, func(w io.Writer) error {
				_, err := io.WriteString(w, "new")
				return errors.Join(err, test.fails)
			})
			if !errors.Is(err, test.fails) || test.fails == nil && err != nil {
				t.Errorf("got %v, want %v", err, test.fails)
			}
			got, err := os.ReadFile(path)
			if string(got) != test.want || err != nil {
				t.Errorf("it holds %q, %v; want %q", got, err, test.want)
			}
			info, err := os.Stat(path)
			if want := test.options.Mode; err != nil || want != 0 && info.Mode() != want {
				t.Errorf("its mode is %s, %v; want %s", info.Mode(), err, want)
			}
			if entries, err := os.ReadDir(dir); len(entries) != 1 || err != nil {
				t.Errorf("left behind: %v, %v", entries, err)
			}
		})
	}
}
