package main

import (
	"strings"

	"github.com/rogpeppe/go-internal/testscript"

	"mtool/cmd/internal/testparts"
)

type (
	nodesKey    struct{}
	networksKey struct{}
)

// network VAR: sets $VAR to a new network namespace, for nsenter --net=$VAR.
func (p *sharedParts) network(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: network VAR")
	}
	n := testparts.StartNetwork(p.tb(ts))
	networks, _ := ts.Value(networksKey{}).(map[string]*testparts.Network)
	networks[args[0]] = n
	ts.Setenv(args[0], n.Path)
}

// node VAR [tls] [PLATFORM] [in=NETWORK]: starts a BuildKit daemon for this script alone and sets $VAR to its address.
// tls sets $VAR_CA, $VAR_CERT and $VAR_KEY too. With a platform, the daemon reports only that one. In a network, the
// link to the daemon is called VAR.
func (p *sharedParts) node(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) == 0 {
		ts.Fatalf("usage: node VAR [tls] [PLATFORM] [in=NETWORK]")
	}
	var o testparts.NodeOptions
	for _, word := range args[1:] {
		name, inside := strings.CutPrefix(word, "in=")
		switch {
		case word == "tls":
			o.TLS = true
		case inside:
			networks, _ := ts.Value(networksKey{}).(map[string]*testparts.Network)
			if o.Network, o.Link = networks[name], args[0]; o.Network == nil {
				ts.Fatalf("node: there is no network %q", name)
			}
		case strings.Contains(word, "/"):
			o.Platform = word
		default:
			ts.Fatalf("node: unknown word %q", word)
		}
	}
	n := testparts.StartNode(p.tb(ts), o)
	nodes, _ := ts.Value(nodesKey{}).(map[string]*testparts.Node)
	nodes[args[0]] = n
	ts.Setenv(args[0], n.Addr)
	ts.Setenv(args[0]+"_CA", n.CA)
	ts.Setenv(args[0]+"_CERT", n.Cert)
	ts.Setenv(args[0]+"_KEY", n.Key)
}

// killnode VAR: kills the node.
func cmdKillNode(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: killnode VAR")
	}
	nodes, _ := ts.Value(nodesKey{}).(map[string]*testparts.Node)
	n, ok := nodes[args[0]]
	if !ok {
		ts.Fatalf("there is no node %s", args[0])
	}
	n.Kill()
}

// container VAR: starts BuildKit in a container of dockerd's engine and sets $VAR to its name.
func (p *sharedParts) container(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: container VAR")
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.engine == nil {
		ts.Fatalf("container: run dockerd before")
	}
	if p.builder == nil {
		p.builder = testparts.StartBuilder(p.tb(ts), p.engine)
	}
	ts.Setenv(args[0], p.builder.Name)
}

// sshd VAR BUILDKIT: starts an SSH server that leads to the BuildKit at that address. It sets $VAR to the server's
// address and $VAR_CONFIG to a file for ssh -F.
func (p *sharedParts) sshd(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: sshd VAR BUILDKIT")
	}
	s := testparts.StartSSHServer(p.tb(ts), args[1])
	ts.Setenv(args[0], s.Addr)
	ts.Setenv(args[0]+"_CONFIG", s.Config)
}
