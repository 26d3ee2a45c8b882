//go:build !mips64le

package worker

import (
	"context"
	"os"
	"regexp"
	"strconv"
	"strings"

	controlapi "github.com/moby/buildkit/api/services/control"
	"golang.org/x/sys/unix"
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

// shortenRoot returns a path of the state directory that works for sockets and overlays. If the path does not, the
// directory is mounted at another one in this mount namespace: a socket's path is limited to 107 bytes, and colons
// and commas separate the options of an overlay.
func shortenRoot(c config) (string, error) {
	const longest = 56 // leaves enough for tmp/.buildkit-ssh-sock1234567890/ssh_auth_sock
	if len(c.Root) <= longest && plainPath().MatchString(c.Root) {
		return c.Root, nil
	}
	point := mountPoint(c.Shared)
	if point == "" {
		return c.Root, nil
	}
	if err := unix.Mount(c.Root, point, "", unix.MS_BIND|unix.MS_REC, ""); err != nil {
		return "", denied("giving the worker's state directory a short path", err)
	}
	return point, nil
}

func plainPath() *regexp.Regexp { return regexp.MustCompile(`^[A-Za-z0-9/._+@=-]+$`) }

// mountPoint returns a directory that a worker's mount namespace does not need: each of these exists only as a mount
// point. Steps see a shared /proc and what is mounted in it. It returns "" if there is none.
func mountPoint(shared bool) string {
	points := []string{
		"/sys/kernel/debug", "/sys/kernel/tracing", "/sys/fs/fuse/connections", "/sys/fs/bpf",
		"/sys/fs/pstore", "/dev/mqueue", "/dev/shm", "/mnt",
	}
	if !shared {
		points = append([]string{"/proc/fs/nfsd"}, points...) // every kernel's /proc has it
	}
	for _, path := range points {
		if info, err := os.Stat(path); err == nil && info.IsDir() {
			return path
		}
	}
	return ""
}
