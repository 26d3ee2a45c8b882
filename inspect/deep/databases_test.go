package deep

import (
	"strings"
	"testing"
)

func TestDatabases(t *testing.T) {
	t.Parallel()
	const status = "Package: bash\nStatus: install ok installed\nArchitecture: arm64\nMulti-Arch: foreign\nVersion: 5.2-1\nPre-Depends: libc6 (>= 2.36), libtinfo6:any (>= 6)\n" +
		"Description: a shell\n Version: not this\n\nPackage: gone\nStatus: deinstall ok config-files\nVersion: 1\n\nPackage: last\nVersion: 2:3+b1\nDepends: a | b"
	const apk = "C:Q1x\nP:busybox\nV:1.36-r5\nA:aarch64\nD:so:libc.musl-aarch64.so.1\nF:bin\nR:busybox\nF:etc\nR:securetty\n\nP:musl\nV:1.2-r4\np:so:libc.musl-aarch64.so.1=1\n\n"
	for _, c := range []struct{ path, body, want string }{
		{"var/lib/dpkg/status", status, "+bash 5.2-1 +last 2:3+b1 ?a ?b ?libc6 ?libtinfo6 @bash arm64"},
		{"var/lib/dpkg/status.d/base", "Package: base-files\nVersion: 12\n", "+base-files 12"},
		{"var/lib/dpkg/status.d/base.md5sums", "0123  usr/bin/tool\n", "/usr/bin/tool =tool"},
		{
			"var/lib/dpkg/info/bash.list", "/.\n/bin\n/bin/bash\n/usr/share/doc/bin\n/usr/sbin/x\n",
			"/. /bin /bin/bash /usr/sbin/x =bash =x",
		},
		{
			"lib/apk/db/installed", apk,
			"+busybox 1.36-r5 +musl 1.2-r4 /bin/busybox\tbusybox /etc/securetty\tbusybox =busybox ?musl @busybox aarch64",
		},
		{"var/lib/dpkg/status", strings.Repeat("x", 1<<20) + "\nPackage: a\nVersion: 1\n", "+a 1"},
	} {
		read := database(c.path)
		if read == nil {
			t.Fatalf("%s is not taken for a database", c.path)
		}
		if got := strings.ReplaceAll(read(strings.NewReader(c.body)), "\n", " "); got != c.want {
			t.Errorf("%s: %q, want %q", c.path, got, c.want)
		}
	}
	var hostile strings.Builder
	for n := range 10_000 {
		hostile.WriteString("Package: p" + strings.Repeat("x", n%50) + string(rune('a'+n%26)) + strings.Repeat("y", n%977) +
			"\nVersion: 1\n\n")
	}
	if got := dpkgStatus(strings.NewReader(hostile.String())); len(got) > maxDatabase {
		t.Errorf("%d bytes are kept", len(got))
	}
	if database("usr/bin/status") != nil || database("var/lib/dpkg/info/bash.md5sums") != nil {
		t.Error("other files are taken for databases")
	}
}
