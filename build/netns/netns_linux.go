package netns

import (
	"errors"
	"fmt"
	"net/netip"
	"os"
	"runtime"
	"strconv"
	"sync"
	"sync/atomic"

	"golang.org/x/sys/unix"
	"gvisor.dev/gvisor/pkg/tcpip/stack"
)

// Maker makes networks. The zero value is ready for use.
type Maker struct {
	once  sync.Once
	outer int // the namespace in which the other ends of all networks are
	err   error
	count atomic.Int64
}

// Network is a network namespace, and the stack that connects it.
type Network struct {
	namespace int
	socket    *os.File
	stack     *stack.Stack
}

// New makes a network.
func (m *Maker) New(rules Rules) (*Network, error) {
	m.once.Do(func() { m.outer, m.err = inThread(newNamespace) })
	if m.err != nil {
		return nil, fmt.Errorf("making a network namespace: %w", m.err)
	}
	n := &Network{}
	var err error
	n.namespace, err = inThread(func() (int, error) { return n.make(m.outer, "s"+strconv.FormatInt(m.count.Add(1), 10)) })
	if err != nil {
		return nil, fmt.Errorf("making a network: %w", errors.Join(err, n.closeSocket()))
	}
	l := &link{socket: n.socket}
	if n.stack, err = newStack(l, rules); err != nil {
		return nil, errors.Join(err, n.Close())
	}
	go l.read()
	return n, nil
}

// Path returns the path of the namespace, for other processes that see this one's PID.
func (n *Network) Path() string { return fmt.Sprintf("/proc/%d/fd/%d", os.Getpid(), n.namespace) }

// Close ends all connections. The namespace ends with its last process.
func (n *Network) Close() error {
	if n.stack != nil {
		n.stack.Destroy()
	}
	return errors.Join(n.closeSocket(), unix.Close(n.namespace))
}

func (n *Network) closeSocket() error {
	if n.socket == nil {
		return nil
	}
	return n.socket.Close()
}

// make returns a new namespace with an interface whose other end, a packet socket, is in outer.
func (n *Network) make(outer int, name string) (_ int, err error) {
	if err := unix.Setns(outer, unix.CLONE_NEWNET); err != nil {
		return 0, err
	}
	socket, err := unix.Socket(unix.AF_PACKET, unix.SOCK_RAW|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		return 0, err
	}
	n.socket = os.NewFile(uintptr(socket), "packets")
	namespace, err := newNamespace()
	if err != nil {
		return 0, err
	}
	if err := errors.Join(connect(outer, name), n.bind(socket, name), lowerPorts()); err != nil {
		return 0, errors.Join(err, unix.Close(namespace))
	}
	return namespace, nil
}

// connect connects this thread's namespace.
func connect(outer int, name string) error {
	links, err := openNetlink()
	if err != nil {
		return err
	}
	defer links.close() //nolint:errcheck // nothing is lost
	if err := links.addPair(name, outer); err != nil {
		return err
	}
	if err := links.up(1); err != nil { // the loopback interface
		return err
	}
	eth0, err := indexOf("eth0")
	if err != nil {
		return err
	}
	if err := links.up(eth0); err != nil {
		return err
	}
	return links.addAddress(eth0, netip.MustParseAddr(Address), netip.MustParseAddr(Gateway))
}

func indexOf(name string) (int, error) {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return 0, err
	}
	defer unix.Close(fd) //nolint:errcheck // nothing is lost
	return indexBy(fd, name)
}

// indexBy returns the number of an interface in the namespace of a socket.
func indexBy(fd int, name string) (int, error) {
	request, err := unix.NewIfreq(name)
	if err != nil {
		return 0, err
	}
	err = unix.IoctlIfreq(fd, unix.SIOCGIFINDEX, request)
	return int(request.Uint32()), err
}

// bind makes the socket receive what the step sends.
func (n *Network) bind(socket int, name string) error {
	index, err := indexBy(socket, name)
	if err != nil {
		return err
	}
	request, err := unix.NewIfreq(name)
	if err != nil {
		return err
	}
	request.SetUint16(unix.IFF_UP | unix.IFF_NOARP)
	if err := unix.IoctlIfreq(socket, unix.SIOCSIFFLAGS, request); err != nil {
		return err
	}
	all := uint16(unix.ETH_P_ALL)
	if err := unix.Bind(socket, &unix.SockaddrLinklayer{Protocol: all<<8 | all>>8, Ifindex: index}); err != nil {
		return err
	}
	return unix.SetsockoptInt(socket, unix.SOL_SOCKET, unix.SO_RCVBUF, 4<<20)
}

// lowerPorts lets every user of a step listen on every port, as in Docker's containers.
func lowerPorts() error {
	return os.WriteFile("/proc/sys/net/ipv4/ip_unprivileged_port_start", []byte("0"), 0)
}

// newNamespace moves this thread to a new network namespace and returns that.
func newNamespace() (int, error) {
	if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
		return 0, err
	}
	return unix.Open("/proc/thread-self/ns/net", unix.O_RDONLY|unix.O_CLOEXEC, 0)
}

// inThread calls f in a thread that ends with it.
func inThread(f func() (int, error)) (fd int, err error) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		runtime.LockOSThread() // never unlocked
		fd, err = f()
	}()
	<-done
	return fd, err
}
