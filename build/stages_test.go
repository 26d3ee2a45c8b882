package build

import (
	"strings"
	"testing"
)

func TestNamedContexts(t *testing.T) {
	t.Parallel()
	d, err := parseDockerfile(
		[]byte("FROM one AS a\nRUN --mount=type=secret,id=s,required b\nFROM busybox:latest\nCOPY --from=a /x /\nCOPY --from=dir /x /\n"))
	if err != nil {
		t.Fatal(err)
	}
	q := inputs{For: parse(t, "linux/arm64"), Contexts: contextKeys(map[string]string{
		"A": "docker-image://other:v1", "docker.io/library/busybox": "store:mine:v1", "dir": "/somewhere",
	})}
	n, err := d.requirements(q)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, b := range n.Bases {
		got = append(got, b.Name+"="+b.source())
	}
	if want := "busybox:latest=store:mine:v1 a=other:v1"; strings.Join(got, " ") != want {
		t.Errorf("bases %q, want %q", got, want)
	}
	if len(n.Runs) > 0 || len(n.Secrets) > 0 {
		t.Errorf("a stage that a named context replaces is built: %+v", n)
	}
	q.Contexts = nil
	if n, err = d.requirements(q); err != nil || checkSecrets(nil, n.Secrets) == nil ||
		checkSecrets([]Secret{{ID: "s"}}, n.Secrets) != nil {
		t.Errorf("secrets %q, %v", n.Secrets, err)
	}
}
