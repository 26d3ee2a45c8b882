package buildkit_test

import (
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// TestOrdinaryUsers builds as a user with a subuid range, MTOOL_TEST_USER, and as one without.
func TestOrdinaryUsers(t *testing.T) {
	needs(t, "buildkit", "qemu", "root")
	for _, c := range []struct {
		name, wantNote string
		uid            int
	}{
		{name: "with subuids", uid: subuidUser(t)},
		{name: "without", uid: 54321, wantNote: "has no range in /etc/subuid"},
	} {
		t.Run(c.name, func(t *testing.T) {
			o := order{Home: publicDir(t), Context: publicDir(t), Platform: foreign()}
			write(t, filepath.Join(o.Context, "Dockerfile"), runApp)
			app(t, foreign(), filepath.Join(o.Context, "app-"+foreign().Architecture))
			if err := os.Chown(o.Home, c.uid, c.uid); err != nil {
				t.Fatal(err)
			}
			p, out := builder(t, o, c.uid)
			if err := p.Run(); err != nil {
				t.Fatalf("%v\n%s", err, out)
			}
			t.Log(out)
			if want := "app runs as " + foreign().Architecture; !strings.Contains(out.String(), want) {
				t.Errorf("the step did not print %q:\n%s", want, out)
			}
			if has := strings.Contains(out.String(), "has no range in /etc/subuid"); has != (c.wantNote != "") {
				t.Errorf("note about missing ranges: %v\n%s", has, out)
			}
		})
	}
}

func subuidUser(t *testing.T) int {
	t.Helper()
	name := os.Getenv("MTOOL_TEST_USER")
	if name == "" {
		name = "mtooltest"
	}
	u, err := user.Lookup(name)
	if err != nil {
		t.Skipf("no user for this test: %v (useradd -m %s, or MTOOL_TEST_USER)", err, name)
	}
	uid, err := strconv.Atoi(u.Uid)
	if err != nil {
		t.Fatal(err)
	}
	return uid
}
