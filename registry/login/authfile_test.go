package login

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// FuzzAuthFile checks that no error contains a password.
func FuzzAuthFile(f *testing.F) {
	f.Add([]byte(`{"auths":{"registry.example":{"auth":"Ym9iOnNlY3JldA=="}},"credHelpers":{"a":"b"}}`))
	f.Add([]byte(`{"auths":{"registry.example":{"auth":"!","password":"secret"}}}`))
	f.Add([]byte(`{"auths":{"registry.example":{"password":"secret","username":1}}}`))
	f.Add([]byte(`{"auths":{"registry.example":{"password":"secret"`))
	path := filepath.Join(f.TempDir(), "config.json")
	f.Fuzz(func(t *testing.T, body []byte) {
		if err := os.WriteFile(path, body, 0o600); err != nil {
			t.Fatal(err)
		}
		file, err := readAuthFile(path)
		if err == nil {
			_, err = file.entry("registry.example")
		}
		if err != nil && strings.Contains(err.Error(), "secret") {
			t.Errorf("the error %q contains the password", err)
		}
	})
}
