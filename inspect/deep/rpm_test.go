package deep_test

import (
	"strings"
	"testing"

	"mtool/inspect"
	"mtool/inspect/deep"
)

// RPM's database says which packages are installed and which files they have.
func TestRPM(t *testing.T) {
	t.Parallel()
	db := "file usr/lib/sysimage/rpm/rpmdb.sqlite ../rpmdb/testdata/rpmdb.sqlite" // made by rpm
	for _, c := range []struct {
		name  string
		lines []string
		want  inspect.State
		text  string // in the findings
	}{
		{
			"for all",
			[]string{db, "elf usr/share/tool/stage1 amd64"},
			inspect.BinariesOK,
			"package data: /usr/share/tool/stage1",
		},
		{
			"for all, overwritten",
			[]string{db, "--", "elf usr/share/tool/stage1 amd64"},
			inspect.Mismatch,
			"/usr/share/tool/stage1 is an amd64 program",
		},
		{
			"of another architecture",
			[]string{db, "elf usr/share/many/stage1 amd64"},
			inspect.Mismatch,
			"many (rpm) is installed for linux/amd64 only: /usr/share/many/stage1",
		},
		{
			"erased",
			[]string{db, "elf usr/share/part7/stage1 amd64"},
			inspect.Mismatch,
			"/usr/share/part7/stage1 is an amd64 program",
		},
		{
			"for all, of ndb",
			[]string{"file usr/lib/sysimage/rpm/Packages.db ../rpmdb/testdata/Packages.db", "elf usr/share/tool/stage1 amd64"},
			inspect.BinariesOK, "package data: /usr/share/tool/stage1",
		},
		{
			"of another architecture, of ndb",
			[]string{"file usr/lib/sysimage/rpm/Packages.db ../rpmdb/testdata/Packages.db", "elf usr/share/many/stage1 amd64"},
			inspect.Mismatch, "many (rpm) is installed for linux/amd64 only",
		},
		{
			"for all, of Berkeley DB",
			[]string{"file var/lib/rpm/Packages ../rpmdb/testdata/Packages", "elf usr/share/tool/stage1 amd64"},
			inspect.BinariesOK, "package data: /usr/share/tool/stage1",
		},
		{
			"of another architecture, of Berkeley DB",
			[]string{"file var/lib/rpm/Packages ../rpmdb/testdata/Packages", "elf usr/share/many/stage1 amd64"},
			inspect.Mismatch, "many (rpm) is installed for linux/amd64 only",
		},
		{"none", []string{"elf usr/share/tool/stage1 amd64"}, inspect.Mismatch, "/usr/share/tool/stage1 is an amd64 program"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r := run(t, image(t, "linux/arm64", append(c.lines, "--", "elf app arm64")...), deep.Options{})
			r.Findings = deep.Summary(r.Findings)
			if r.Verdicts[0].State != c.want || !strings.Contains(show(r), c.text) {
				t.Errorf("want %s with %q:\n%s", c.want, c.text, show(r))
			}
		})
	}
	for name, c := range map[string]struct {
		lines   []string
		at, why string
	}{
		"read":              {[]string{db}, "", ""},
		"at its older path": {[]string{"link var/lib/rpm ../../usr/lib/sysimage/rpm", db}, "", ""},
		"an empty journal":  {[]string{db, "empty usr/lib/sysimage/rpm/rpmdb.sqlite-wal"}, "", ""},
		"a journal": {
			[]string{db, "says usr/lib/sysimage/rpm/rpmdb.sqlite-wal \x37\x7f\x06\x82"},
			"usr/lib/sysimage/rpm/rpmdb.sqlite-wal", "a journal",
		},
		"broken": {
			[]string{"says var/lib/rpm/rpmdb.sqlite SQLite format 3"},
			"var/lib/rpm/rpmdb.sqlite",
			"it is not an RPM database",
		},
		"ndb": {[]string{"file usr/lib/sysimage/rpm/Packages.db ../rpmdb/testdata/Packages.db"}, "", ""},
		"a broken ndb": {
			[]string{"says usr/lib/sysimage/rpm/Packages.db RpmP"},
			"usr/lib/sysimage/rpm/Packages.db",
			"it is not an RPM database",
		},
		"Berkeley DB":    {[]string{"file var/lib/rpm/Packages ../rpmdb/testdata/Packages"}, "", ""},
		"no Berkeley DB": {[]string{"plain var/lib/rpm/Packages"}, "var/lib/rpm/Packages", "it is not an RPM database"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			has := run(t,
				image(t, "linux/arm64",
					append(c.lines, "elf app arm64", "script usr/bin/tool /bin/sh", "script usr/bin/other /bin/sh")...),
				deep.Options{}).Contents[0]
			if has.Unread != c.at || !strings.Contains(has.UnreadWhy, c.why) {
				t.Errorf("unread: %q, because %q", has.Unread, has.UnreadWhy)
			}
			if c.at == "" &&
				(has.Packages["tool"] != "2:1.1-2.el9" || !has.Needs["tool"] || has.Needs["many"] ||
					strings.Join(has.Programs, " ") != "other") {
				t.Errorf("%+v", has)
			}
		})
	}
}
