package main

import (
	"strings"

	"github.com/rogpeppe/go-internal/testscript"

	"mtool/cmd/internal/realparts"
)

type nodesKey struct{}

// node VAR [tls] [PLATFORM]: $VAR is the address of a BuildKit daemon that is the script's alone. With tls there are
// $VAR_CA, $VAR_CERT and $VAR_KEY; with a platform it says that it runs only that.
func (p *sharedParts) node(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) == 0 {
		ts.Fatalf("usage: node VAR [tls] [PLATFORM]")
	}
	var o realparts.NodeOptions
	for _, word := range args[1:] {
		switch {
		case word == "tls":
			o.TLS = true
		case strings.Contains(word, "/"):
			o.Platform = word
		default:
			ts.Fatalf("node: unknown word %q", word)
		}
	}
	n := realparts.StartNode(p.t, o)
	nodes, _ := ts.Value(nodesKey{}).(map[string]*realparts.Node)
	nodes[args[0]] = n
	ts.Setenv(args[0], n.Addr)
	ts.Setenv(args[0]+"_CA", n.CA)
	ts.Setenv(args[0]+"_CERT", n.Cert)
	ts.Setenv(args[0]+"_KEY", n.Key)
}

// killnode VAR: the node is gone from one moment to the next.
func cmdKillNode(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: killnode VAR")
	}
	nodes, _ := ts.Value(nodesKey{}).(map[string]*realparts.Node)
	n, ok := nodes[args[0]]
	if !ok {
		ts.Fatalf("there is no node %s", args[0])
	}
	n.Kill()
}
