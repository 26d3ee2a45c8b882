package emulator

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
)

func TestSurvey(t *testing.T) {
	t.Setenv("PATH", "")
	host := Host{Platform: linux("amd64", ""), Also: []string{"386"}}
	entry := parseEntry(qemuEntry)
	entry.Name = "qemu-aarch64"
	rows := map[string]Row{}
	for _, r := range Survey(t.Context(), host, t.TempDir(), []Entry{entry}) {
		rows[r.Arch] = r
	}
	if len(rows) != len(Architectures()) {
		t.Errorf("%d rows", len(rows))
	}
	for arch, want := range map[string]string{"amd64": Native, "386": Native, "arm64": Emulated, "s390x": Missing} {
		if got := rows[arch]; got.How != want {
			t.Errorf("%s: %+v", arch, got)
		}
	}
	if r := rows["arm64"]; r.Entry.Name != "qemu-aarch64" || r.Found.Path != "" || r.Err != nil {
		t.Errorf("emulated by the host's entry: %+v", r)
	}
	if r := rows["s390x"]; !errors.Is(r.Err, ErrMissing) {
		t.Errorf("missing: %v", r.Err)
	}
	if _, err := FindOrHost(emulators()["s390x"], t.TempDir(), []Entry{entry}); !errors.Is(err, ErrMissing) {
		t.Errorf("neither binary nor entry: %v", err)
	}
}

func TestVersionIn(t *testing.T) {
	t.Parallel()
	for out, want := range map[string]string{
		"qemu-aarch64 version 7.2.22 (Debian 1:7.2+dfsg-7)\nCopyright\n": "7.2.22",
		"qemu-arm version 10.0.2\n":                                      "10.0.2",
		"busybox version 1\n":                                            "",
		"":                                                               "",
	} {
		if got := versionIn([]byte(out)); got != want {
			t.Errorf("%q: got %q", out, got)
		}
	}
}

func TestRegisterWithoutKernel(t *testing.T) {
	t.Parallel()
	arm64 := Found{Emulator: emulators()["arm64"], Path: "/qemu"}
	dir := t.TempDir()
	_, err := Register(dir, arm64)
	var h *HostError
	if !errors.As(err, &h) || !errors.Is(err, fs.ErrNotExist) || h.Unmounted != dir {
		t.Errorf("not mounted: %v", err)
	}
	if err := os.WriteFile(filepath.Join(dir, "register"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := Register(dir, arm64); err == nil { // a plain file accepts everything
		t.Error("an entry that is not listed counts as registered")
	}
	if err := os.WriteFile(filepath.Join(dir, "qemu-aarch64"), []byte(qemuEntry), 0o644); err != nil {
		t.Fatal(err)
	}
	if r, err := Register(dir, arm64); err != nil || r.Changed || !r.Other {
		t.Errorf("with another program's entry: %+v, %v", r, err)
	}
	if r, err := Unregister(dir, arm64.Emulator); err != nil || r.Changed || !r.Other {
		t.Errorf("unregistering another program's entry: %+v, %v", r, err)
	}
	if all := Ours(dir); len(all) != 0 {
		t.Errorf("another program's entry counts as ours: %v", all)
	}
}
