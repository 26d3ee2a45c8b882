package netns

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"

	"golang.org/x/sys/unix"
)

// netlink sends requests about the interfaces of the namespace that it was opened in.
type netlink int

func openNetlink() (netlink, error) {
	fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC, unix.NETLINK_ROUTE)
	return netlink(fd), err
}

// create is the flag of requests that make something.
const create = unix.NLM_F_CREATE | unix.NLM_F_EXCL

func (n netlink) close() error { return unix.Close(int(n)) }

// addPair makes eth0 here, and its other end in the namespace there. Neither asks for hardware addresses.
func (n netlink) addPair(name string, there int) error {
	peer := linkInfo(0, unix.IFF_NOARP)
	peer = attr(peer, unix.IFLA_IFNAME, append([]byte(name), 0))
	peer = attr(peer, unix.IFLA_MTU, u32(mtu))
	peer = attr(peer, unix.IFLA_NET_NS_FD, u32(uint32(there)))
	const vethPeer = 1
	info := attr(nil, unix.IFLA_INFO_KIND, []byte("veth"))
	info = attr(info, unix.IFLA_INFO_DATA, attr(nil, vethPeer, peer))
	body := linkInfo(0, unix.IFF_NOARP)
	body = attr(body, unix.IFLA_IFNAME, []byte("eth0\x00"))
	body = attr(body, unix.IFLA_ADDRESS, hardware[:])
	body = attr(body, unix.IFLA_MTU, u32(mtu))
	body = attr(body, unix.IFLA_LINKINFO, info)
	return n.request(unix.RTM_NEWLINK, create, body)
}

// up sets interface number i up.
func (n netlink) up(i int) error { return n.request(unix.RTM_NEWLINK, 0, linkInfo(i, unix.IFF_UP)) }

// addAddress gives interface number i an address, and makes the gateway the way to all others.
func (n netlink) addAddress(i int, address, gateway netip.Addr) error {
	body := append([]byte{unix.AF_INET, prefix, 0, unix.RT_SCOPE_UNIVERSE}, u32(uint32(i))...)
	body = attr(body, unix.IFA_LOCAL, address.AsSlice())
	body = attr(body, unix.IFA_ADDRESS, address.AsSlice())
	if err := n.request(unix.RTM_NEWADDR, create, body); err != nil {
		return err
	}
	body = []byte{
		unix.AF_INET, 0, 0, 0, unix.RT_TABLE_MAIN, unix.RTPROT_BOOT, unix.RT_SCOPE_UNIVERSE, unix.RTN_UNICAST, 0, 0, 0, 0,
	}
	body = attr(body, unix.RTA_OIF, u32(uint32(i)))
	body = attr(body, unix.RTA_GATEWAY, gateway.AsSlice())
	return n.request(unix.RTM_NEWROUTE, create, body)
}

// request sends one request and waits for the kernel's answer.
func (n netlink) request(kind, flags uint16, body []byte) error {
	var m []byte
	m = binary.NativeEndian.AppendUint32(m, uint32(unix.NLMSG_HDRLEN+len(body)))
	m = binary.NativeEndian.AppendUint16(m, kind)
	m = binary.NativeEndian.AppendUint16(m, unix.NLM_F_REQUEST|unix.NLM_F_ACK|flags)
	m = append(m, make([]byte, 8)...) // number and sender
	m = append(m, body...)
	if err := unix.Sendto(int(n), m, 0, &unix.SockaddrNetlink{Family: unix.AF_NETLINK}); err != nil {
		return err
	}
	answer := make([]byte, 4<<10)
	got, _, err := unix.Recvfrom(int(n), answer, 0)
	if err != nil {
		return err
	}
	if got < unix.NLMSG_HDRLEN+4 || binary.NativeEndian.Uint16(answer[4:]) != unix.NLMSG_ERROR {
		return errors.New("the kernel's answer is not understood")
	}
	if code := int32(binary.NativeEndian.Uint32(answer[unix.NLMSG_HDRLEN:])); code != 0 {
		return fmt.Errorf("netlink request %d: %w", kind, unix.Errno(-code))
	}
	return nil
}

func linkInfo(index int, flags uint32) []byte {
	b := make([]byte, 4, unix.SizeofIfInfomsg)
	b = append(b, u32(uint32(index))...)
	b = append(b, u32(flags)...)
	return append(b, u32(flags)...) // those to change
}

// attr appends an attribute, padded to four bytes.
func attr(b []byte, kind uint16, value []byte) []byte {
	b = binary.NativeEndian.AppendUint16(b, uint16(4+len(value)))
	b = binary.NativeEndian.AppendUint16(b, kind)
	b = append(b, value...)
	return append(b, make([]byte, -len(value)&3)...)
}

func u32(v uint32) []byte { return binary.NativeEndian.AppendUint32(nil, v) }
