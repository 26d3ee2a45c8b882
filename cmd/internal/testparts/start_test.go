package testparts

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"testing"
)

// These tests start each part, use it, and check that it is gone afterwards. They skip if it is missing.

func TestStartRegistry(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		options        RegistryOptions
		user, password string
		status         int
	}{
		"open":           {RegistryOptions{}, "", "", 200},
		"password":       {RegistryOptions{Auth: true}, "tester", "secret", 200},
		"wrong password": {RegistryOptions{Auth: true}, "tester", "guess", 401},
		"TLS":            {RegistryOptions{TLS: true}, "", "", 200},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := StartRegistry(t, test.options)
			req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, r.url()+"/v2/", http.NoBody)
			if err != nil {
				t.Fatal(err)
			}
			if test.user != "" {
				req.SetBasicAuth(test.user, test.password)
			}
			resp, err := r.client(t).Do(req)
			if err != nil {
				t.Fatal(err)
			}
			defer resp.Body.Close()
			if resp.StatusCode != test.status {
				t.Errorf("got status %d, want %d", resp.StatusCode, test.status)
			}
		})
	}
}

func (r *RunningRegistry) url() string {
	if r.CAFile != "" {
		return "https://" + r.Host
	}
	return "http://" + r.Host
}

func (r *RunningRegistry) client(t *testing.T) *http.Client {
	t.Helper()
	if r.CAFile == "" {
		return http.DefaultClient
	}
	b, err := os.ReadFile(r.CAFile)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(b)
	return &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}}}
}

func TestStartBuildkitd(t *testing.T) {
	t.Parallel()
	var socket string
	t.Run("runs", func(t *testing.T) {
		socket = strings.TrimPrefix(StartBuildkitd(t), "unix://")
		if !answers(socket) {
			t.Error("it does not listen")
		}
	})
	if socket != "" && answers(socket) {
		t.Error("it outlives the test")
	}
}

func TestStartDockerd(t *testing.T) {
	t.Parallel()
	var socket string
	t.Run("runs", func(t *testing.T) {
		e := StartDockerd(t)
		socket = strings.TrimPrefix(e.Addr, "unix://")
		cmd := exec.CommandContext(t.Context(), Program(t, "docker"), "image", "ls", "-q")
		cmd.Env = e.Env()
		if out, err := cmd.CombinedOutput(); err != nil || len(out) != 0 {
			t.Errorf("a new engine has images: %v, %s", err, out)
		}
	})
	if socket != "" && answers(socket) {
		t.Error("it outlives the test")
	}
}

func TestNewUser(t *testing.T) {
	t.Parallel()
	var home string
	t.Run("runs", func(t *testing.T) {
		u := NewUser(t)
		home = u.Home
		if got := output(t, u.Command(t.Context(), "id", "-u")); got == "0" {
			t.Error("it is root")
		}
		if got := output(t, u.Command(t.Context(), "sh", "-c", "touch file && pwd")); got != home {
			t.Errorf("it is in %q, want %q", got, home)
		}
		given := u.Give(t, Program(t, "true"), "bin")
		if got := output(t, u.Command(t.Context(), "sh", "-c", "command -v true; "+given)); got != "true" && got != given {
			t.Errorf("got %q", got)
		}
		// The user may use the ids of the subordinate range.
		if got := output(t,
			u.Command(t.Context(), "unshare", "--user", "--map-auto", "--map-root-user", "sh", "-c",
				"touch x; chown 7:7 x; stat -c %u x")); got != "7" {
			t.Errorf("a file of a subordinate id belongs to %q, want 7", got)
		}
	})
	if _, err := os.Stat(home); home != "" && !os.IsNotExist(err) {
		t.Errorf("the home was not removed: %v", err)
	}
	if err := exec.CommandContext(context.Background(), "id", testUser).Run(); home != "" && err == nil {
		t.Error("the user was not removed")
	}
}

func output(t *testing.T, cmd *exec.Cmd) string {
	t.Helper()
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%q: %v: %s", cmd.Args, err, out)
	}
	return strings.TrimSpace(string(out))
}

func TestStartBuilder(t *testing.T) {
	t.Parallel()
	e := StartDockerd(t)
	var name string
	t.Run("runs", func(t *testing.T) { name = StartBuilder(t, e).Name })
	cmd := exec.CommandContext(t.Context(), Program(t, "docker"), "ps", "--all", "--quiet")
	cmd.Env = e.Env()
	if got := output(t, cmd); name != "" && got != "" {
		t.Errorf("it outlives the test: %s", got)
	}
}

// A network has only the links to its nodes and is gone after the test.
func TestStartNetwork(t *testing.T) {
	t.Parallel()
	var path string
	t.Run("runs", func(t *testing.T) {
		n := StartNetwork(t)
		path = n.Path
		n.attach(t, "one")
		links := func(args ...string) string {
			return output(t,
				exec.CommandContext(t.Context(), Program(t, "nsenter"),
					append([]string{"--net=" + path, "ip", "-brief"}, args...)...))
		}
		if got := links("link"); strings.Count(got, "\n") != 1 || !strings.Contains(got, "one@") {
			t.Errorf("its links: %s", got)
		}
		if got := links("route"); strings.Count(got, "\n") != 0 || !strings.HasPrefix(got, "10.77.1.0/30") {
			t.Errorf("its routes: %s", got)
		}
	})
	if _, err := os.Stat(path); path != "" && err == nil {
		t.Error("it outlives the test")
	}
}
