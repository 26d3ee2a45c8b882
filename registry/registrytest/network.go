package registrytest

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"syscall"
)

// Network is a network in memory, for tests of timeouts with testing/synctest: there time advances while a registry and
// its clients wait for each other, and stops while they work, however busy the machine is. The zero value is ready to
// use.
type Network struct {
	mu    sync.Mutex
	hosts []*pipes
}

// Listen returns a listener at a new address.
func (n *Network) Listen() net.Listener {
	n.mu.Lock()
	defer n.mu.Unlock()
	l := &pipes{port: len(n.hosts) + 1, conns: make(chan net.Conn), closed: make(chan struct{})}
	n.hosts = append(n.hosts, l)
	return l
}

// Dial connects to the address of a listener.
func (n *Network) Dial(ctx context.Context, _, address string) (net.Conn, error) {
	n.mu.Lock()
	hosts := n.hosts
	n.mu.Unlock()
	for _, l := range hosts {
		if l.String() != address {
			continue
		}
		client, server := net.Pipe()
		select {
		case l.conns <- server:
			return client, nil
		case <-l.closed:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	return nil, fmt.Errorf("dialing %q: %w", address, syscall.ECONNREFUSED)
}

// pipes is a net.Listener and its own address.
type pipes struct {
	port   int
	conns  chan net.Conn
	once   sync.Once
	closed chan struct{}
}

func (l *pipes) Accept() (net.Conn, error) {
	select {
	case conn := <-l.conns:
		return conn, nil
	case <-l.closed:
		return nil, errors.New("closed")
	}
}

func (l *pipes) Close() error {
	l.once.Do(func() { close(l.closed) })
	return nil
}

func (l *pipes) Addr() net.Addr { return l }

func (l *pipes) Network() string { return "memory" }

func (l *pipes) String() string { return fmt.Sprintf("127.0.0.1:%d", l.port) }
