package worker

import (
	"slices"
	"strings"
	"testing"
)

func TestChildEnv(t *testing.T) {
	t.Parallel()
	got := childEnv([]string{
		"HTTPS_PROXY=p", "USER=anna", "PATH=/bin", "XDG_RUNTIME_DIR=/run/user/1000",
		"NOTIFY_SOCKET=x", "TMPDIR=/t",
	})
	if want := []string{"HTTPS_PROXY=p", "PATH=/bin:/usr/sbin:/sbin"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	if got := childEnv(nil); len(got) != 1 || !strings.Contains(got[0], "/usr/sbin") {
		t.Errorf("without a PATH: %q", got)
	}
}

// Steps see only PATH, and the worker's settings hold no registry credentials.
func TestKeptEnv(t *testing.T) {
	t.Parallel()
	env := []string{
		"https_proxy=p", "SSL_CERT_FILE=/ca", "DOCKER_AUTH_CONFIG=secret", "AWS_SECRET_ACCESS_KEY=secret",
		"PATH=/bin", "HOME=/root",
	}
	if got, want := bareEnv(env), []string{"PATH=/bin:/usr/sbin:/sbin"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	if got, want := keptEnv(env), env[:2]; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}
