package buildkit

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"

	"github.com/moby/buildkit/client"

	"mtool/build"
	"mtool/inspect/platform"
	"mtool/registry"
	"mtool/registry/archive"
	"mtool/registry/engine"
)

// connectEngine makes a client of the BuildKit in Docker Engine, the one that the docker command would use.
func connectEngine(ctx context.Context) (*client.Client, *engine.Engine, error) {
	e, err := engine.Open()
	if err != nil {
		return nil, nil, err
	}
	const proto = "h2c"
	c, err := client.New(ctx, "unix:///docker-engine",
		client.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) { return e.Dial(ctx, "/grpc", proto, nil) }),
		client.WithSessionDialer(func(ctx context.Context, proto string, meta map[string][]string) (net.Conn, error) {
			return e.Dial(ctx, "/session", proto, meta)
		}))
	if err != nil {
		return nil, nil, errors.Join(err, e.Close())
	}
	return c, e, nil
}

// viaEngine makes the request one that Docker Engine can answer: the BuildKit in it exports images into the engine only. It
// returns the image's name there.
func viaEngine(opt *client.SolveOpt) registry.Ref {
	name := registry.Ref{Transport: registry.TransportEngine, Host: "docker.io", Repo: "library/mtool-build", Tag: strings.ToLower(rand.Text())}
	for i, e := range opt.Exports {
		if e.Type == client.ExporterOCI && e.OutputStore != nil {
			opt.Exports[i] = client.ExportEntry{Type: "moby", Attrs: map[string]string{"name": name.Name()}}
		}
	}
	return name
}

// fetch takes an image out of the engine into the layout dir, and its name away from it.
func (s solve) fetch(ctx context.Context, name registry.Ref, dir string) (build.Layout, error) {
	l, err := s.save(ctx, name, dir)
	removed := s.machine.engine.Remove(context.WithoutCancel(ctx), name)
	if err = errors.Join(err, removed); err != nil {
		return l, fmt.Errorf("building %s: %w", platform.Format(s.target), err)
	}
	return l, nil
}

func (s solve) save(ctx context.Context, name registry.Ref, dir string) (l build.Layout, err error) {
	if err := os.MkdirAll(filepath.Join(dir, "blobs", "sha256"), 0o755); err != nil {
		return l, err
	}
	tar := registry.Ref{Transport: registry.TransportDockerArchive, Path: filepath.Join(dir, "saved.tar")}
	file, err := os.Create(tar.Path)
	if err != nil {
		return l, err
	}
	defer os.Remove(tar.Path) //nolint:errcheck // the directory goes with the build
	if err := errors.Join(s.machine.engine.Save(ctx, name, file), file.Close()); err != nil {
		return l, err
	}
	object, err := archive.Open(ctx, tar)
	if err != nil {
		return l, err
	}
	defer object.Close() //nolint:errcheck // opened for reading only
	root, err := repack(ctx, object, filepath.Join(dir, "blobs", "sha256"))
	return build.Layout{Dir: dir, Root: root}, err
}
