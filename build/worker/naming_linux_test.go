package worker

import (
	"errors"
	"strings"
	"testing"

	controlapi "github.com/moby/buildkit/api/services/control"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// A worker's messages name the state directory by its real path. The output of steps is left as it is.
func TestNaming(t *testing.T) {
	t.Parallel()
	n := newNaming("/mnt", "/data/anna/a long way")
	for text, want := range map[string]string{
		`mount /mnt/runc-overlayfs/snapshots/7: full`: `mount /data/anna/a long way/runc-overlayfs/snapshots/7: full`,
		`on the file system of "/mnt"`:                `on the file system of "/data/anna/a long way"`,
		`/mnt/tmp/x, /mnt/run/y, /mnt/cache.db`:       `/data/anna/a long way/tmp/x, /data/anna/a long way/run/y, /data/anna/a long way/cache.db`,
		`ls /mnt/data: no such file`:                  `ls /mnt/data: no such file`,
	} {
		if got := n.text(text); got != want {
			t.Errorf("%q became %q", text, got)
		}
	}
	err := n.err(status.Error(codes.ResourceExhausted, "writing /mnt/tmp/x"))
	if s, _ := status.FromError(err); s.Code() != codes.ResourceExhausted ||
		s.Message() != "writing /data/anna/a long way/tmp/x" {
		t.Errorf("got %v", err)
	}
	if plain := errors.New("/mnt/tmp/x"); n.err(nil) != nil || !errors.Is(n.err(plain), plain) {
		t.Error("an error without a gRPC status was changed")
	}
	sent := &sink{}
	if err := n.stream(nil, sent, nil, func(_ any, s grpc.ServerStream) error {
		return s.SendMsg(&controlapi.StatusResponse{
			Vertexes: []*controlapi.Vertex{{Error: "/mnt/tmp/x"}}, Logs: []*controlapi.VertexLog{{Msg: []byte("/mnt/run/y")}},
		})
	}); err != nil || strings.Contains(sent.last.String(), "/mnt") {
		t.Errorf("sent %s, %v", sent.last, err)
	}
}

// sink is a stream that keeps the last message.
type sink struct {
	grpc.ServerStream

	last *controlapi.StatusResponse
}

func (s *sink) SendMsg(m any) error {
	s.last, _ = m.(*controlapi.StatusResponse)
	return nil
}
