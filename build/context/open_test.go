package buildcontext

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/ulikunitz/xz"

	"mtool/registry"
)

func archive(t *testing.T, headers ...tar.Header) []byte {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, h := range headers {
		body := h.PAXRecords["body"]
		h.PAXRecords, h.Size = nil, int64(len(body))
		if err := w.WriteHeader(&h); err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(w, body); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func xzipped(t *testing.T, data []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	w, err := xz.NewWriter(&b)
	if err == nil {
		_, err = w.Write(data)
	}
	if err = errors.Join(err, w.Close()); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func member(name, body string) tar.Header {
	return tar.Header{Name: name, Mode: 0o755, Typeflag: tar.TypeReg, PAXRecords: map[string]string{"body": body}}
}

func hardLink(to string) tar.Header {
	return tar.Header{Name: "hard", Linkname: to, Typeflag: tar.TypeLink}
}

func TestUnpack(t *testing.T) {
	t.Parallel()
	link := tar.Header{Name: "link", Linkname: "/etc", Typeflag: tar.TypeSymlink}
	for name, c := range map[string]struct {
		in   []byte
		file string // which the context must have
		kind error
	}{
		"plain":                    {in: archive(t, member("a/b", "x")), file: "a/b"},
		"absolute name":            {in: archive(t, member("/a/b", "x")), file: "a/b"},
		"dots":                     {in: archive(t, member("../../a", "x")), file: "a"},
		"twice":                    {in: archive(t, member("a", "y"), member("a", "x")), file: "a"},
		"gzip":                     {in: gzipped(t, archive(t, member("a", "x"))), file: "a"},
		"through a link":           {in: archive(t, link, member("link/passwd", "x")), kind: errors.ErrUnsupported},
		"replaces a link":          {in: archive(t, link, member("link", "x")), file: "link"},
		"hard link outside":        {in: archive(t, hardLink("../../../../../etc/passwd")), kind: errors.ErrUnsupported},
		"hard link through a link": {in: archive(t, link, hardLink("link/passwd")), kind: errors.ErrUnsupported},
		"a device": {in: archive(t, tar.Header{Name: "dev", Typeflag: tar.TypeChar, Devmajor: 1, Devminor: 3},
			member("a", "x")), file: "a"},
		"a pipe":                   {in: archive(t, tar.Header{Name: "dev", Typeflag: tar.TypeFifo}, member("a", "x")), file: "a"},
		"cut short":                {in: archive(t, member("a", strings.Repeat("x", 4096)))[:1024], kind: io.ErrUnexpectedEOF},
		"broken gzip":              {in: []byte("\x1f\x8bnonsense"), kind: registry.ErrUsage},
		"xz":                       {in: xzipped(t, archive(t, member("a", "x"))), file: "a"},
		"broken xz":                {in: []byte("\xfd7zXZ\x00..."), kind: registry.ErrUsage},
		"xz cut short":             {in: xzipped(t, archive(t, member("a", "x")))[:60], kind: io.ErrUnexpectedEOF},
		"nothing":                  {in: nil, kind: registry.ErrUsage},
		"not an archive, too long": {in: bytes.Repeat([]byte("#"), maxDockerfile+1), kind: registry.ErrUsage},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := Open(t.Context(), "-", Options{In: bytes.NewReader(c.in)})
			if c.kind != nil {
				if err == nil || !errors.Is(c.kind, errors.ErrUnsupported) && !errors.Is(err, c.kind) {
					t.Fatalf("got %v, want %v", err, c.kind)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if body, err := os.ReadFile(filepath.Join(got.Dir, c.file)); err != nil || string(body) != "x" {
				t.Errorf("%q: %q, %v", c.file, body, err)
			}
			if info, err := os.Lstat(filepath.Join(got.Dir, "dev")); err == nil &&
				(!info.Mode().IsRegular() || got.Entries["dev"].Mode.IsRegular()) {
				t.Errorf("the file on disk is %s, the entry %s", info.Mode(), got.Entries["dev"].Mode)
			}
			if err := got.Close(); err != nil {
				t.Error(err)
			}
			if _, err := os.Stat(got.Dir); err == nil {
				t.Errorf("%s is still there", got.Dir)
			}
		})
	}
}

// Modes, owners and devices that an ordinary user can't create on disk are kept in the entries.
func TestArchived(t *testing.T) {
	t.Parallel()
	when := time.Unix(1_000_000_000, 0)
	link := tar.Header{Name: "through", Linkname: "real", Typeflag: tar.TypeSymlink, Mode: 0o777, ModTime: when}
	su := tar.Header{
		Name: "through/su", Typeflag: tar.TypeReg, Mode: 0o4755, Uid: 33, Gid: 34, ModTime: when,
		PAXRecords: map[string]string{"body": "x"},
	}
	got, err := Open(t.Context(), "-", Options{In: bytes.NewReader(archive(t,
		tar.Header{Name: "real", Typeflag: tar.TypeDir, Mode: 0o1777, ModTime: when}, link, su,
		tar.Header{Name: "hard", Linkname: "through/su", Typeflag: tar.TypeLink},
		tar.Header{Name: "closed", Typeflag: tar.TypeDir, Mode: 0, ModTime: when},
		tar.Header{Name: "closed/pipe", Typeflag: tar.TypeFifo, Mode: 0o644, ModTime: when},
		tar.Header{Name: "closed/null", Typeflag: tar.TypeChar, Mode: 0o666, Devmajor: 1, Devminor: 3, ModTime: when},
	))})
	if err != nil {
		t.Fatal(err)
	}
	defer got.Close()
	for name, mode := range map[string]fs.FileMode{
		"real": fs.ModeDir | fs.ModeSticky | 0o777, "through": fs.ModeSymlink | 0o777, "real/su": fs.ModeSetuid | 0o755,
		"hard":   fs.ModeSetuid | 0o755,
		"closed": fs.ModeDir, "closed/pipe": fs.ModeNamedPipe | 0o644,
		"closed/null": fs.ModeDevice | fs.ModeCharDevice | 0o666,
	} {
		e := got.Entries[name]
		if e.Mode != mode || !e.ModTime.Equal(when) {
			t.Errorf("%s: %s of %s, want %s", name, e.Mode, e.ModTime, mode)
		}
		if _, err := os.Lstat(filepath.Join(got.Dir, name)); err != nil {
			t.Error(err)
		}
	}
	if e := got.Entries["hard"]; e.UID != 33 || e.GID != 34 {
		t.Errorf("owner %d:%d", e.UID, e.GID)
	}
}

func gzipped(t *testing.T, in []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	if _, err := w.Write(in); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestDownload(t *testing.T) {
	t.Parallel()
	body := archive(t, member("Dockerfile", "FROM scratch"))
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/context.tar":
			_, _ = w.Write(body)
		case "/Dockerfile":
			_, _ = io.WriteString(w, "FROM scratch\n")
		case "/broken":
			w.WriteHeader(http.StatusInternalServerError)
		default:
			http.NotFound(w, r)
		}
	}))
	t.Cleanup(server.Close)
	for path, c := range map[string]struct {
		alone bool
		kind  error
	}{
		"/context.tar": {}, "/Dockerfile": {alone: true}, "/nothing": {kind: registry.ErrNotFound},
		"/broken": {kind: registry.ErrUnavailable},
	} {
		got, err := Open(t.Context(), server.URL+path, Options{})
		if !errors.Is(err, c.kind) || (got.Dockerfile != "") != c.alone {
			t.Errorf("%s: %+v, %v", path, got, err)
		}
		if err := got.Close(); err != nil {
			t.Error(err)
		}
	}
}

// A download that stalls fails with ErrUnavailable, not as a bad archive.
func TestStalledDownload(t *testing.T) {
	t.Parallel()
	body := archive(t, member("Dockerfile", "FROM scratch"))
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/in":
			_, _ = w.Write(body[:700])
			_ = http.NewResponseController(w).Flush()
		case "/cut":
			_, _ = w.Write(body[:700])
			panic(http.ErrAbortHandler)
		}
		<-r.Context().Done()
	}))
	t.Cleanup(server.Close)
	for path, want := range map[string]string{
		"/before": "nothing moved for 2s", "/in": "nothing moved for 2s",
		"/cut": "EOF", "/demo.git": "git fetch",
	} {
		t.Run(path, func(t *testing.T) {
			t.Parallel()
			o := Options{Idle: 2 * time.Second}
			if path == "/cut" {
				o.Idle = 0 // the limit must not strike first on a busy machine
			}
			_, err := Open(t.Context(), server.URL+path, o)
			if !errors.Is(err, registry.ErrUnavailable) || errors.Is(err, registry.ErrUsage) ||
				!strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), server.URL+path) {
				t.Errorf("got %v, want ErrUnavailable with %q and the address", err, want)
			}
		})
	}
}

func TestIsGit(t *testing.T) {
	t.Parallel()
	for given, want := range map[string]bool{
		".": false, "./demo.git": false, "https://example.com/demo.git": true, "https://example.com/demo.git#main:dir": true,
		"https://example.com/demo.tar.gz": false, "git@example.com:demo": true, "github.com/a/b": true,
		"ssh://example.com/demo": true, "-": false,
		"https://example.com/demo.git?branch=main": true, "https://example.com/demo.tar.gz?x=.git": false,
	} {
		if got := isGit(given); got != want {
			t.Errorf("%q: %v, want %v", given, got, want)
		}
	}
	for _, given := range []string{"git://example.invalid/a#--upload-pack=x"} {
		if _, err := Open(t.Context(), given, Options{}); err == nil {
			t.Errorf("%q was fetched", given)
		}
	}
}
