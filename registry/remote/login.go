package remote

import (
	"context"
	"net/http"

	"mtool/registry"
)

// Login asks the host for its base address with the client's credentials, as its token server says. The error wraps
// ErrDenied when they are refused. asked is false when the host let everybody in, so that nothing was proved.
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
	return r.host.session.asked(), err
}

func (s *session) asked() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.challenge != nil
}

// MayPush begins an upload and gives it up: the only way to learn whether one may write. The error wraps ErrDenied when one
// may not.
func (r *Repository) MayPush(ctx context.Context) error {
	empty, err := registry.NewManifest("application/octet-stream", nil)
	if err != nil {
		return err
	}
	q := r.uploadRequest(empty.Descriptor())
	q.doing, q.ref = "beginning an upload", r.base
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
