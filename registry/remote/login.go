package remote

import (
	"context"
	"net/http"

	"mtool/registry"
)

// Login requests the host's base address with the client's credentials, and a token from its token server if it has
// one. The error wraps ErrDenied if they are refused. asked is false if the host accepts everybody, which proves
// nothing.
//
// https://distribution.github.io/distribution/spec/api/#api-version-check
func (c *Client) Login(ctx context.Context, host string) (asked bool, err error) {
	r := c.Repository(registry.Ref{Transport: registry.TransportRegistry, Host: host}, Pull)
	q := request{
		doing: "logging in", ref: r.base, scopes: scopes{},
		method: http.MethodGet, path: "/v2/", want: []int{http.StatusOK},
	}
	_, err = retry(ctx, c, func() (struct{}, error) {
		resp, err := r.host.send(ctx, q)
		if err == nil {
			drain(resp.Body)
		}
		return struct{}{}, err
	})
	return r.host.session.challenged() != nil, err
}

// MayPush opens an upload and cancels it, which is the only way to learn whether pushing is allowed. The error wraps
// ErrDenied when it is not.
func (r *Repository) MayPush(ctx context.Context) error {
	empty, err := registry.NewManifest("application/octet-stream", nil)
	if err != nil {
		return err
	}
	q := r.uploadRequest(empty.Descriptor())
	q.doing, q.ref = "starting an upload", r.base
	q.method, q.path, q.want = http.MethodPost, r.path("blobs", "uploads")+"/", []int{http.StatusAccepted}
	_, err = retry(ctx, r.client, func() (struct{}, error) {
		resp, err := r.host.send(ctx, q)
		if err != nil {
			return struct{}{}, err
		}
		drain(resp.Body)
		if at, err := r.location(resp); err == nil {
			r.discard(ctx, empty.Descriptor(), at)
		}
		return struct{}{}, nil
	})
	return err
}
