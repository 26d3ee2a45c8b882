package netns

import (
	"context"
	"errors"
	"io"
	"net"
	"net/netip"
	"syscall"
	"time"

	"gvisor.dev/gvisor/pkg/tcpip"
	"gvisor.dev/gvisor/pkg/tcpip/adapters/gonet"
	"gvisor.dev/gvisor/pkg/tcpip/header"
	"gvisor.dev/gvisor/pkg/tcpip/network/ipv4"
	"gvisor.dev/gvisor/pkg/tcpip/network/ipv6"
	"gvisor.dev/gvisor/pkg/tcpip/stack"
	"gvisor.dev/gvisor/pkg/tcpip/transport/tcp"
	"gvisor.dev/gvisor/pkg/tcpip/transport/udp"
	"gvisor.dev/gvisor/pkg/waiter"
)

// nic is the number of the stack's one interface.
const nic = 1

// Limits of one step: each connection costs descriptors of the worker.
const (
	maxDialling = 256
	maxFlows    = 512 // of UDP
)

const (
	dialTimeout = 30 * time.Second
	flowIdle    = time.Minute // a UDP flow without a packet ends
)

// newStack returns a TCP/IP stack that answers for every address but the step's: it opens a connection of this
// process's for each one of the step's.
func newStack(l stack.LinkEndpoint, rules Rules) (*stack.Stack, error) {
	s := stack.New(stack.Options{
		NetworkProtocols:   []stack.NetworkProtocolFactory{ipv4.NewProtocol, ipv6.NewProtocol},
		TransportProtocols: []stack.TransportProtocolFactory{tcp.NewProtocol, udp.NewProtocol},
	})
	sack := tcpip.TCPSACKEnabled(true)
	window := tcpip.TCPReceiveBufferSizeRangeOption{Min: 4 << 10, Default: 1 << 20, Max: 4 << 20}
	send := tcpip.TCPSendBufferSizeRangeOption{Min: 4 << 10, Default: 1 << 20, Max: 4 << 20}
	for _, err := range []tcpip.Error{
		s.SetTransportProtocolOption(tcp.ProtocolNumber, &send),
		s.SetTransportProtocolOption(tcp.ProtocolNumber, &sack), s.SetTransportProtocolOption(tcp.ProtocolNumber, &window),
		s.CreateNIC(nic, l), s.SetPromiscuousMode(nic, true), s.SetSpoofing(nic, true),
	} {
		if err != nil {
			return nil, errors.New(err.String())
		}
	}
	s.SetRouteTable([]tcpip.Route{
		{Destination: header.IPv4EmptySubnet, NIC: nic}, {Destination: header.IPv6EmptySubnet, NIC: nic},
	})
	streams := tcp.NewForwarder(s, 0, maxDialling, func(r *tcp.ForwarderRequest) { stream(r, rules) })
	s.SetTransportProtocolHandler(tcp.ProtocolNumber, streams.HandlePacket)
	room := make(chan struct{}, maxFlows)
	flows := udp.NewForwarder(s, func(r *udp.ForwarderRequest) bool { return flow(r, rules, room) })
	s.SetTransportProtocolHandler(udp.ProtocolNumber, flows.HandlePacket)
	return s, nil
}

// wanted returns the address that a step connects to.
func wanted(id stack.TransportEndpointID) netip.AddrPort {
	a, _ := netip.AddrFromSlice(id.LocalAddress.AsSlice())
	return netip.AddrPortFrom(a, id.LocalPort)
}

// stream connects a TCP connection of the step. It is accepted only once the other end has accepted it.
func stream(r *tcp.ForwarderRequest, rules Rules) {
	to, ok := rules.target("tcp", wanted(r.ID()))
	if !ok {
		r.Complete(true)
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), dialTimeout)
	defer cancel()
	out, err := (&net.Dialer{}).DialContext(ctx, "tcp", to)
	if err != nil {
		r.Complete(ctx.Err() == nil) // the step tries again where nothing answers
		return
	}
	var queue waiter.Queue
	endpoint, failed := r.CreateEndpoint(&queue)
	r.Complete(failed != nil)
	if failed != nil {
		_ = out.Close()
		return
	}
	endpoint.SocketOptions().SetKeepAlive(true)
	join(out.(*net.TCPConn), gonet.NewTCPConn(&queue, endpoint), endpoint)
}

// join copies both ways. One end's reset becomes a reset of the other: as an end it would cut files short unnoticed.
func join(out *net.TCPConn, in *gonet.TCPConn, endpoint tcpip.Endpoint) {
	sent := make(chan struct{})
	go func() {
		defer close(sent)
		if _, err := io.Copy(out, in); err != nil {
			_ = out.SetLinger(0)
			_ = out.Close()
			endpoint.Abort()
			return
		}
		_ = out.CloseWrite()
	}()
	if _, err := io.Copy(in, out); err != nil {
		endpoint.Abort()
		_ = out.SetLinger(0)
		_ = out.Close()
	} else {
		_ = in.CloseWrite()
	}
	<-sent
	_, _ = out.Close(), in.Close()
}

// flow connects a UDP flow of the step. The stack answers false with "port unreachable".
func flow(r *udp.ForwarderRequest, rules Rules, room chan struct{}) bool {
	to, ok := rules.target("udp", wanted(r.ID()))
	if !ok {
		return false
	}
	select {
	case room <- struct{}{}:
	default:
		return true // dropped, as a busy router does
	}
	var queue waiter.Queue
	endpoint, failed := r.CreateEndpoint(&queue)
	if failed != nil {
		<-room
		return true
	}
	go func() {
		defer func() { <-room }()
		exchange(gonet.NewUDPConn(&queue, endpoint), to)
	}()
	return true
}

// exchange copies packets both ways, until one way has none for a while.
func exchange(in net.Conn, to string) {
	out, err := (&net.Dialer{}).DialContext(context.Background(), "udp", to)
	if err != nil {
		_ = in.Close()
		return
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		copyPackets(in, out)
		_ = in.Close()
	}()
	copyPackets(out, in)
	_ = out.Close()
	<-done
}

// copyPackets copies until there is nothing for a while.
func copyPackets(to, from net.Conn) {
	for b := make([]byte, 1<<16); ; {
		_ = from.SetReadDeadline(time.Now().Add(flowIdle))
		n, err := from.Read(b)
		if errors.Is(err, syscall.ECONNREFUSED) {
			return
		}
		if err == nil {
			_, err = to.Write(b[:n])
		}
		if err != nil && !errors.Is(err, syscall.EMSGSIZE) {
			return
		}
	}
}
