package netns

import (
	"encoding/binary"
	"os"
	"sync"

	"gvisor.dev/gvisor/pkg/buffer"
	"gvisor.dev/gvisor/pkg/tcpip"
	"gvisor.dev/gvisor/pkg/tcpip/header"
	"gvisor.dev/gvisor/pkg/tcpip/stack"
)

const (
	mtu       = 65520 // no wire is between, and large packets take less time
	frameSize = 14    // of the header before each packet
	largest   = 1 << 16
)

// hardware is the address of the step's interface, the same in every step.
var hardware = [6]byte{0x02, 0, 0, 0, 0, 0x02} //nolint:gochecknoglobals // a constant

// link passes packets between a stack and a packet socket.
type link struct {
	socket *os.File
	mu     sync.Mutex
	up     stack.NetworkDispatcher
}

// read delivers the step's packets until the socket is closed.
func (l *link) read() {
	for b := make([]byte, frameSize+largest); ; {
		n, err := l.socket.Read(b)
		if err != nil {
			return
		}
		if n <= frameSize || isPing(b[frameSize:n]) {
			continue
		}
		protocol := tcpip.NetworkProtocolNumber(binary.BigEndian.Uint16(b[12:frameSize]))
		pkt := stack.NewPacketBuffer(stack.PacketBufferOptions{Payload: buffer.MakeWithData(b[frameSize:n])})
		l.mu.Lock()
		up := l.up
		l.mu.Unlock()
		if up != nil {
			up.DeliverNetworkPacket(protocol, pkt)
		}
		pkt.DecRef()
	}
}

// isPing reports whether a packet is an echo request to another machine, for which the stack would answer.
func isPing(p []byte) bool {
	switch p[0] >> 4 {
	case header.IPv4Version:
		h := header.IPv4(p)
		return h.IsValid(len(p)) && h.TransportProtocol() == header.ICMPv4ProtocolNumber &&
			h.DestinationAddress().String() != Gateway
	case header.IPv6Version:
		h := header.IPv6(p)
		return h.IsValid(len(p)) && h.NextHeader() == uint8(header.ICMPv6ProtocolNumber)
	}
	return false
}

// WritePackets sends packets to the step.
func (l *link) WritePackets(list stack.PacketBufferList) (int, tcpip.Error) {
	var frame []byte
	for i, pkt := range list.AsSlice() {
		frame = append(frame[:0], hardware[:]...)
		frame = append(frame, 2, 0, 0, 0, 0, 1)
		frame = binary.BigEndian.AppendUint16(frame, uint16(pkt.NetworkProtocolNumber))
		for _, part := range pkt.AsSlices() {
			frame = append(frame, part...)
		}
		if _, err := l.socket.Write(frame); err != nil {
			return i, &tcpip.ErrAborted{}
		}
	}
	return list.Len(), nil
}

// The rest implements stack.LinkEndpoint.

func (l *link) Attach(up stack.NetworkDispatcher) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.up = up
}

func (l *link) IsAttached() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.up != nil
}

// Capabilities says that checksums need no check: the packets come from this machine's kernel, which leaves them out.
func (*link) Capabilities() stack.LinkEndpointCapabilities { return stack.CapabilityRXChecksumOffload }
func (*link) MTU() uint32                                  { return mtu }
func (*link) SetMTU(uint32)                                {}
func (*link) MaxHeaderLength() uint16                      { return 0 }
func (*link) LinkAddress() tcpip.LinkAddress               { return "" }
func (*link) SetLinkAddress(tcpip.LinkAddress)             {}
func (*link) Wait()                                        {}
func (*link) ARPHardwareType() header.ARPHardwareType      { return header.ARPHardwareNone }
func (*link) AddHeader(*stack.PacketBuffer)                {}
func (*link) ParseHeader(*stack.PacketBuffer) bool         { return true }
func (*link) Close()                                       {}
func (*link) SetOnCloseAction(func())                      {}
