package deep_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"mtool/inspect"
	"mtool/inspect/deep"
)

// An image's libraries and variables are followed to the end, even if they are many or form cycles, so that a foreign
// file at the end is found.
func TestNeedsEnd(t *testing.T) {
	t.Parallel()
	var chain, many []string
	for n := range 10_000 {
		chain = append(chain, fmt.Sprintf("needs opt/lib/l%d.so arm64 l%d.so $ORIGIN", n, n+1))
	}
	for n := range 5000 {
		many = append(many, fmt.Sprintf("elf d%d/bin/x arm64", n))
	}
	foreign := []string{"elf app arm64", "needs app2 arm64 libx.so /opt/linux-x64", "so opt/linux-x64/libx.so amd64"}
	conf := strings.Repeat(`/a\n/usr/lib/../lib\n`, 10_000)
	for name, c := range map[string]struct {
		lines, env []string
	}{
		"a chain of 10,000": {lines: append(chain, "so opt/lib/l10000.so arm64")},
		"link cycles": {lines: []string{
			"link usr/lib/a.so b.so", "link usr/lib/b.so a.so", "link usr/lib/c.so c.so",
			"link lib/loop /lib/loop", "link opt/x/y ..", "needs x arm64 a.so /opt/x/y/x/y/x:/lib/loop",
		}},
		"include cycles": {lines: []string{
			"says etc/ld.so.conf include ld.so.conf.d/*.conf",
			`says etc/ld.so.conf.d/a.conf include /etc/ld.so.conf\ninclude *.conf\ninclude /etc/../etc/ld.so.conf.d/*`,
		}},
		"a long ld.so.conf": {lines: []string{"says etc/ld.so.conf " + conf, "says etc/ld-musl-aarch64.path " + conf}},
		"many variables": {
			lines: many,
			env: []string{
				"PATH=" + strings.Repeat("/d1/bin:/d1/./bin:", 5000), "X_HOME=" + strings.Repeat("/d1:/d2/:", 5000),
				"LD_LIBRARY_PATH=" + strings.Repeat("/usr/lib:", 5000),
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := image(t, "linux/arm64", append(c.lines, foreign...)...)
			s.Env = c.env
			before := time.Now()
			r := run(t, s, deep.Options{})
			if r.Verdicts[0].State != inspect.Mismatch || r.Findings[0].Path != "opt/linux-x64/libx.so" {
				t.Errorf("the library that /app2 needs was not found:\n%.2000s", show(r))
			}
			if took := time.Since(before); took > 5*time.Minute {
				t.Errorf("it took %s", took)
			}
		})
	}
}
