package remote

import (
	"context"
	"net"
)

// DialBy makes a client connect with dial.
func (c *Client) DialBy(dial func(ctx context.Context, network, address string) (net.Conn, error)) {
	c.http.Transport.(*trust).base.DialContext = dial
}
