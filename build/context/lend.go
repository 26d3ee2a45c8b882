package buildcontext

import (
	"fmt"
	"os"
	"path/filepath"

	"mtool/registry"
	"mtool/registry/regular"
)

// lentRef is the only ref of a lent repository.
const lentRef = "refs/tags/context"

// lend makes a bare repository in the directory to that has the objects of r and nothing else: no config, so neither
// filters nor helpers nor lazy fetches, no hooks, no alternates. lentRef is set to id, unless that is "".
func (r repository) lend(to, id string) error {
	objects := filepath.Join(r.common, "objects")
	entries, err := os.ReadDir(objects)
	if err != nil {
		return err
	}
	config := "[core]\n\trepositoryformatversion = 1\n\tbare = true\n"
	if r.sha256(id) {
		config += "[extensions]\n\tobjectformat = sha256\n"
	}
	files := map[string]string{"HEAD": "ref: refs/heads/none\n", "config": config}
	if id != "" {
		files[lentRef] = id + "\n"
	}
	if shallow, err := regular.Read(filepath.Join(r.common, "shallow"), regular.MaxText); err == nil {
		files["shallow"] = string(shallow)
	}
	for _, dir := range []string{"refs/heads", "refs/tags", "objects/info"} {
		if err := os.MkdirAll(filepath.Join(to, dir), 0o700); err != nil {
			return err
		}
	}
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(to, name), []byte(text), 0o600); err != nil {
			return err
		}
	}
	for _, e := range entries {
		if !fanOut.MatchString(e.Name()) {
			continue
		}
		dir := filepath.Join(objects, e.Name())
		if err := regular.All(dir); err != nil { // git opens every file, and would wait for pipes
			return fmt.Errorf("%w: %w", registry.ErrContent, err)
		}
		if err := os.Symlink(dir, filepath.Join(to, "objects", e.Name())); err != nil {
			return err
		}
	}
	return nil
}

// sha256 reports whether the objects are named by SHA-256.
func (r repository) sha256(id string) bool {
	if id == "" {
		id, _ = r.resolve("")
	}
	return len(id) == 64
}
