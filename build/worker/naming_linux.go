package worker

import (
	"context"
	"strconv"
	"strings"

	controlapi "github.com/moby/buildkit/api/services/control"
	"google.golang.org/grpc"
	"google.golang.org/grpc/status"
)

// naming replaces the path from shortenRoot by the real one in all messages of a worker: the short path exists only
// in the worker's namespace.
type naming struct{ words *strings.Replacer }

// newNaming replaces only known names below the path: a step may mention something else there.
func newNaming(settled, own string) naming {
	pairs := []string{strconv.Quote(settled), strconv.Quote(own)}
	for _, name := range []string{"/runc-", "/run/", "/tmp/", "/cache.db", "/history.db"} {
		pairs = append(pairs, settled+name, own+name)
	}
	return naming{strings.NewReplacer(pairs...)}
}

func (n naming) text(s string) string { return n.words.Replace(s) }

func (n naming) err(err error) error {
	s, ok := status.FromError(err)
	if err == nil || !ok {
		return err
	}
	p := s.Proto()
	p.Message = n.text(p.GetMessage())
	return status.ErrorProto(p)
}

func (n naming) unary(ctx context.Context, req any, _ *grpc.UnaryServerInfo, handle grpc.UnaryHandler) (any, error) {
	answer, err := handle(ctx, req)
	return answer, n.err(err)
}

func (n naming) stream(srv any, s grpc.ServerStream, _ *grpc.StreamServerInfo, handle grpc.StreamHandler) error {
	return n.err(handle(srv, namedStream{s, n}))
}

// namedStream is the stream of a build's progress.
type namedStream struct {
	grpc.ServerStream

	naming naming
}

func (s namedStream) SendMsg(m any) error {
	if r, ok := m.(*controlapi.StatusResponse); ok {
		for _, v := range r.GetVertexes() {
			v.Error = s.naming.text(v.GetError())
		}
		for _, l := range r.GetLogs() {
			l.Msg = []byte(s.naming.text(string(l.GetMsg())))
		}
	}
	return s.ServerStream.SendMsg(m)
}
