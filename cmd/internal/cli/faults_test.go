package cli

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"testing"

	"mtool/registry/registrytest"
)

// Whichever request of an inspection fails, it does not end well without having looked: from that request on for good,
// and once, where what is shown must be the same if it ends well all the same.
func TestNoRequestMayFail(t *testing.T) {
	home := t.TempDir()
	for _, name := range []string{"HOME", "MTOOL_HOME", "XDG_CACHE_HOME", "XDG_DATA_HOME", "DOCKER_CONFIG"} {
		t.Setenv(name, home)
	}
	server := registrytest.New(t, registrytest.Options{Referrers: true})
	image := registrytest.Image(registrytest.ImageSpec{Platform: linux("amd64"), Layers: 2})
	key, signature := signedBy(t, image)
	server.Load("demo", "v1", registrytest.List(registrytest.ListSpec{Attested: true, Entries: []registrytest.Entry{
		{Built: image},
		{Built: registrytest.ListOf(registrytest.Image(registrytest.ImageSpec{Platform: linux("arm64"), Layers: 2}))},
	}}))
	server.Load("demo", "proven", withProvenance(`"internalParameters":{"builderPlatform":"linux/arm64"}`))
	server.Load("demo", "signed", image)
	server.Load("demo", "sha256-"+image.Digest().Hex+".sig", signature)
	for _, line := range []string{
		"v1", "v1 --deep --no-facts", "v1 --deep --no-facts --entrypoint-only",
		"v1 --require linux/amd64,linux/arm64 --exact",
		"proven --provenance", "signed --signed-by " + key,
	} {
		args := append([]string{"inspect", "-o", "json", "--retry=0", "--idle-timeout=10s"},
			strings.Fields(server.Host()+"/demo:"+line)...)
		server.Forget()
		code, want := runOut(args)
		requests := len(server.Requests())
		if code != exitDone || requests < 3 {
			t.Fatalf("%q: code %d after %d requests:\n%s", line, code, requests, want)
		}
		for n := range requests {
			for what, fault := range map[string]registrytest.Fault{
				"500": {Status: 500}, "404": {Status: 404}, "cut": {Truncate: true}, "reset": {Reset: true},
				"short":   {Twist: &registrytest.Twist{Short: true}},
				"another": {Twist: &registrytest.Twist{Corrupt: true}},
			} {
				for _, times := range []int{1, -1} {
					fault.After, fault.Times = n, times
					before := server.Struck()
					server.Fault(fault)
					code, got := runOut(args)
					struck := server.Struck() > before
					server.Heal()
					if code == exitDone && struck && got != want {
						t.Errorf("%q, %s at request %d, %d times: code 0, and not what it was:\n%s", line, what, n+1, times, got)
					}
					// What refers to a digest may be nothing, and has no digest by which a flipped bit would be seen.
					vague := what == "404" || what == "another" && strings.Contains(line, "--signed-by")
					if code == exitDone && struck && times < 0 && !vague {
						t.Errorf("%q, %s from request %d on: code 0", line, what, n+1)
					}
				}
			}
		}
	}
}

// runOut is the code and what was printed to standard output.
func runOut(args []string) (int, string) {
	var out, said bytes.Buffer
	code := Run(context.Background(), args, Stdio{In: strings.NewReader(""), Out: &out, Err: &said})
	return code, fmt.Sprint(&out)
}
