package diff

import (
	"archive/tar"
	"strings"
	"testing"
	"time"
)

// TestFirstInFiles changes one thing about a file at a time. Its time is named only if nothing else differs.
func TestFirstInFiles(t *testing.T) {
	t.Parallel()
	for want, change := range map[string]func(h *tar.Header, content *string){
		"":                                     func(*tar.Header, *string) {},
		`"b" instead of "a"`:                   func(h *tar.Header, _ *string) { h.Name = "b" },
		`"a" has the kind 2 instead of 0`:      func(h *tar.Header, _ *string) { h.Typeflag = tar.TypeSymlink },
		`"a" has the mode 755 instead of 644`:  func(h *tar.Header, _ *string) { h.Mode = 0o755 },
		`"a" has the owner 0:7 instead of 0:0`: func(h *tar.Header, _ *string) { h.Gid = 7 },
		`"a" has the link x instead of `:       func(h *tar.Header, _ *string) { h.Linkname = "x" },
		`"a" differs at byte 1`:                func(_ *tar.Header, c *string) { *c = "Text" },
		`"a" differs at byte 4`:                func(h *tar.Header, c *string) { *c, h.ModTime = "texT", time.Unix(1, 0) },
		`"a" differs at byte 5`:                func(_ *tar.Header, c *string) { *c = "texts" },
		`"a" differs at byte 3`:                func(_ *tar.Header, c *string) { *c = "te" },
		`"a" has other extended attributes`:    func(h *tar.Header, _ *string) { h.PAXRecords = map[string]string{"x": "y"} },
		`"a" has the time 1970-01-01 00:00:01 +0000 UTC instead of 1970-01-01 00:00:00 +0000 UTC`: func(h *tar.Header, _ *string) {
			h.ModTime = time.Unix(1, 0)
		},
	} {
		a := tar.Header{Name: "a", Typeflag: tar.TypeReg, Mode: 0o644, ModTime: time.Unix(0, 0)}
		b, content := a, "text"
		change(&b, &content)
		got, err := firstInFiles(&a, &b, strings.NewReader("text"), strings.NewReader(content))
		if err != nil || got != want {
			t.Errorf("%q, %v, want %q", got, err, want)
		}
	}
}
