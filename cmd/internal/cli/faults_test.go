package cli

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"testing"

	"mtool/registry/registrytest"
)

// An inspection in which any one request fails must not succeed without having read the content. If the fault happens
// once, a success must show the same as without it; if it stays, the inspection must fail.
func TestFailedRequests(t *testing.T) {
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
			for kind, fault := range map[string]registrytest.Fault{
				"500": {Status: 500}, "404": {Status: 404}, "cut": {Truncate: true}, "reset": {Reset: true},
				"short":   {Response: &registrytest.Response{Short: true}},
				"corrupt": {Response: &registrytest.Response{Corrupt: true}},
			} {
				for _, times := range []int{1, -1} {
					fault.After, fault.Times = n, times
					before := server.FaultCount()
					server.Fault(fault)
					code, got := runOut(args)
					struck := server.FaultCount() > before
					server.ClearFaults()
					if code == exitDone && struck && got != want {
						t.Errorf("%q, %s at request %d, %d times: code 0 with another output:\n%s", line, kind, n+1, times, got)
					}
					// Referrers may be absent, and their list has no digest that would reveal a flipped bit.
					undetectable := kind == "404" || kind == "corrupt" && strings.Contains(line, "--signed-by")
					if code == exitDone && struck && times < 0 && !undetectable {
						t.Errorf("%q, %s from request %d on: code 0", line, kind, n+1)
					}
				}
			}
		}
	}
}

// runOut runs a command line and returns its exit code and standard output.
func runOut(args []string) (int, string) {
	var out, stderr bytes.Buffer
	code := Run(context.Background(), args, Stdio{In: strings.NewReader(""), Out: &out, Err: &stderr})
	return code, fmt.Sprint(&out)
}
