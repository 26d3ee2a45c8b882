package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// admit MAIN.GO NODES REVIEW ANSWER: builds the webhook, starts it with these nodes, sends it the review, and writes
// the response to ANSWER.
func cmdAdmit(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 4 {
		ts.Fatalf("usage: admit MAIN.GO NODES REVIEW ANSWER")
	}
	program, cert, key := ts.MkAbs("admission"), ts.MkAbs("cert.pem"), ts.MkAbs("key.pem")
	if _, err := os.Stat(program); err != nil {
		// Compile with the cache of this user, not the script's.
		build := exec.Command("go", "build", "-o", program, ts.MkAbs(args[0]))
		out, err := build.CombinedOutput()
		if err != nil {
			ts.Fatalf("building the webhook: %v\n%s", err, out)
		}
	}
	certificate(ts, cert, key)
	free, err := net.Listen("tcp", "127.0.0.1:0")
	ts.Check(err)
	address := free.Addr().String()
	ts.Check(free.Close())

	ctx, cancel := context.WithCancel(background())
	hook := exec.CommandContext(ctx, program, address, ts.MkAbs(args[1]), cert, key)
	hook.Dir = ts.MkAbs(".")
	for _, name := range []string{"PATH", "HOME", "MTOOL_HOME", "DOCKER_CONFIG", "TMPDIR"} {
		hook.Env = append(hook.Env, name+"="+ts.Getenv(name))
	}
	ts.Check(hook.Start())
	defer func() { cancel(); _ = hook.Wait() }()
	ts.Check(os.WriteFile(ts.MkAbs(args[3]), review(ts, "https://"+address, []byte(ts.ReadFile(args[2]))), 0o644))
}

// certificate writes the standard library's test certificate for 127.0.0.1 and its key.
func certificate(ts *testscript.TestScript, cert, key string) {
	s := httptest.NewTLSServer(http.NotFoundHandler())
	defer s.Close()
	pair := s.TLS.Certificates[0]
	der, err := x509.MarshalPKCS8PrivateKey(pair.PrivateKey)
	ts.Check(err)
	ts.Check(os.WriteFile(cert, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: pair.Certificate[0]}), 0o644))
	ts.Check(os.WriteFile(key, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), 0o600))
}

// review posts a review as the API server does, as soon as the webhook listens.
func review(ts *testscript.TestScript, url string, body []byte) (answer []byte) {
	client := &http.Client{
		Timeout:   time.Minute,
		Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}, // a certificate for tests
	}
	posted := eventually(func() bool {
		resp, err := client.Post(url, "application/json", bytes.NewReader(body))
		if err != nil {
			return false
		}
		defer resp.Body.Close()
		answer, err = io.ReadAll(resp.Body)
		return err == nil
	})
	if !posted {
		ts.Fatalf("the webhook does not answer at %s", url)
	}
	return answer
}
