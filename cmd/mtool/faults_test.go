package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"path/filepath"
	"runtime"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"mtool/cmd/internal/faults"
	"mtool/cmd/internal/testparts"
	"mtool/registry/registrytest"
)

// TestFaultMatrix runs every command that talks to a registry with every fault. `make test` tries one of the cells for
// most pairs of command and fault, make soak all of them.
func TestFaultMatrix(t *testing.T) {
	testparts.Need(t, testparts.Slow)
	program := filepath.Join(t.TempDir(), "app")
	// Compile before the home changes: the new home has an empty Go cache.
	err := compile(t.Context(), filepath.Join("..", "..", "testdata", "context"), ".", program, runtime.GOARCH)
	if err != nil {
		t.Fatal(err)
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	public, err := publicKey(key)
	if err != nil {
		t.Fatal(err)
	}
	sign := func(digest v1.Hash) registrytest.ArtifactLayer { return forgery{key: key, digest: digest}.simple() }
	faults.Matrix{Program: program, Key: public, Sign: sign}.Run(t)
}

// TestSoak runs mixed commands while one request in a hundred fails.
func TestSoak(t *testing.T) { faults.Soak(t) }
