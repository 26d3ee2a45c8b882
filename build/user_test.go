package build_test

import (
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// TestOrdinaryUsers builds as the user that MTOOL_TEST_USER names, with a subuid range, and as one without.
func TestOrdinaryUsers(t *testing.T) {
	needs(t, "buildkit", "qemu", "root", "user")
	for _, c := range []struct {
		name, text, prints string
		uid                int
		noted              bool
	}{
		{
			name: "with subuids", uid: subuidUser(t),
			text:   runApp + "COPY --chown=1000:33 Dockerfile /file\nUSER 1000:33\nRUN [\"/app\", \"who\"]\n",
			prints: "uid 1000 gid 33",
		},
		{name: "without", uid: 54321, text: runApp, prints: "app runs as " + foreign().Architecture, noted: true},
	} {
		t.Run(c.name, func(t *testing.T) {
			o := order{Home: publicDir(t), Context: publicDir(t), Platform: foreign()}
			write(t, filepath.Join(o.Context, "Dockerfile"), c.text)
			app(t, foreign(), filepath.Join(o.Context, "app-"+foreign().Architecture))
			if err := os.Chown(o.Home, c.uid, c.uid); err != nil {
				t.Fatal(err)
			}
			p, out := builder(t, o, c.uid)
			if err := p.Run(); err != nil {
				t.Fatalf("%v\n%s", err, out)
			}
			if !strings.Contains(out.String(), c.prints) {
				t.Errorf("the steps did not print %q:\n%s", c.prints, out)
			}
			if noted := strings.Contains(out.String(), "has no range in /etc/subuid"); noted != c.noted {
				t.Errorf("note about missing ranges: %v\n%s", noted, out)
			}
		})
	}
}

func subuidUser(t *testing.T) int {
	t.Helper()
	u, err := user.Lookup(testUser())
	if err != nil {
		t.Fatal(err)
	}
	uid, err := strconv.Atoi(u.Uid)
	if err != nil {
		t.Fatal(err)
	}
	return uid
}
