//go:build !mips64le

package worker

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"

	"github.com/containerd/containerd/v2/core/remotes/docker"
	"github.com/containerd/containerd/v2/defaults"
	"github.com/moby/buildkit/cache/remotecache"
	inlinecache "github.com/moby/buildkit/cache/remotecache/inline"
	localcache "github.com/moby/buildkit/cache/remotecache/local"
	registrycache "github.com/moby/buildkit/cache/remotecache/registry"
	buildkitd "github.com/moby/buildkit/cmd/buildkitd/config"
	"github.com/moby/buildkit/control"
	"github.com/moby/buildkit/frontend"
	dockerfile "github.com/moby/buildkit/frontend/dockerfile/builder"
	"github.com/moby/buildkit/frontend/gateway"
	"github.com/moby/buildkit/frontend/gateway/forwarder"
	"github.com/moby/buildkit/session"
	"github.com/moby/buildkit/solver"
	"github.com/moby/buildkit/solver/bboltcachestorage"
	"github.com/moby/buildkit/util/db/boltutil"
	"github.com/moby/buildkit/util/entitlements"
	"github.com/moby/buildkit/util/grpcerrors"
	_ "github.com/moby/buildkit/util/grpcutil/encoding/proto" // the codec that BuildKit's messages need
	"github.com/moby/buildkit/worker"
	"github.com/sirupsen/logrus"
	"go.opentelemetry.io/otel/metric/noop"
	"google.golang.org/grpc"
)

// server is BuildKit's controller with one worker, and the gRPC server before it.
type server struct {
	ctx     context.Context
	cancel  context.CancelFunc
	api     *grpc.Server
	closers []func() error // in the order of opening
	finish  func() error   // after them; nil is nothing

	noDevices error // why the worker makes none
}

// newServer opens the state in c.Root; names rewrites its path in outgoing messages.
func newServer(c config, names naming, note func(string)) (_ *server, err error) {
	logrus.SetLevel(logrus.ErrorLevel) // BuildKit's warnings are about normal conditions here
	s := &server{}
	s.ctx, s.cancel = context.WithCancel(context.Background())
	defer func() {
		if err != nil {
			err = errors.Join(err, s.close())
		}
	}()
	hosts := hostsOf(c)
	w, err := newWorker(s.ctx, c, hosts, note)
	if err != nil {
		return nil, fmt.Errorf("opening the worker's state in %q: %w", c.Root, err)
	}
	s.noDevices = w.noDevices
	s.closers = append(s.closers, w.init.close)
	workers := &worker.Controller{}
	if err := workers.Add(w); err != nil {
		return nil, err
	}
	controller, err := s.newController(c, workers, w, hosts)
	if err != nil {
		return nil, fmt.Errorf("opening the worker's state in %q: %w", c.Root, err)
	}
	s.closers = append(s.closers, controller.Close)
	s.api = grpc.NewServer(
		grpc.ChainUnaryInterceptor(names.unary, grpcerrors.UnaryServerInterceptor), // BuildKit's two transport typed errors
		grpc.ChainStreamInterceptor(names.stream, grpcerrors.StreamServerInterceptor),
		grpc.MaxRecvMsgSize(defaults.DefaultMaxRecvMsgSize),
		grpc.MaxSendMsgSize(defaults.DefaultMaxSendMsgSize),
	)
	controller.Register(s.api)
	return s, nil
}

func (s *server) newController(
	c config, workers *worker.Controller, w worker.Worker, hosts docker.RegistryHosts,
) (*control.Controller, error) {
	sessions, err := session.NewManager()
	if err != nil {
		return nil, err
	}
	cache, err := bboltcachestorage.NewStore(filepath.Join(c.Root, "cache.db"))
	if err != nil {
		return nil, err
	}
	history, err := boltutil.SafeOpen(filepath.Join(c.Root, "history.db"), 0o600, c.database())
	if err != nil {
		return nil, errors.Join(err, cache.Close())
	}
	s.closers = append(s.closers, history.Close)
	images, err := gateway.NewGatewayFrontend(workers.Infos(), nil) // what a "# syntax=" line names
	if err != nil {
		return nil, err
	}
	none := int64(0) // no command shows the history of builds
	return control.NewController(control.Opt{
		SessionManager:   sessions,
		WorkerController: workers,
		Frontends: map[string]frontend.Frontend{
			"dockerfile.v0": forwarder.NewGatewayForwarder(workers.Infos(), dockerfile.Build), "gateway.v0": images,
		},
		ResolveCacheExporterFuncs: map[string]remotecache.ResolveCacheExporterFunc{
			"registry": registrycache.ResolveCacheExporterFunc(sessions, hosts),
			"local":    localcache.ResolveCacheExporterFunc(sessions),
			"inline":   inlinecache.ResolveCacheExporterFunc(),
			"gha":      exportActions,
		},
		ResolveCacheImporterFuncs: map[string]remotecache.ResolveCacheImporterFunc{
			"registry": registrycache.ResolveCacheImporterFunc(sessions, w.ContentStore(), hosts),
			"local":    localcache.ResolveCacheImporterFunc(sessions),
			"gha":      patient(importActions),
		},
		Entitlements:   granted(c),
		CacheManager:   solver.NewCacheManager(s.ctx, "local", cache, worker.NewCacheResultStorage(workers)),
		MeterProvider:  noop.NewMeterProvider(),
		HistoryDB:      history,
		HistoryConfig:  &buildkitd.HistoryConfig{MaxEntries: &none},
		CacheStore:     cache,
		LeaseManager:   w.LeaseManager(),
		ContentStore:   w.ContentStore(),
		GarbageCollect: w.GarbageCollect,
		GracefulStop:   s.ctx.Done(),
	})
}

// granted returns the entitlements that a build may request. Whether it does for the host's network, its user says.
func granted(c config) []string {
	all := []string{string(entitlements.EntitlementNetworkHost)}
	if c.Insecure {
		all = append(all, string(entitlements.EntitlementSecurityInsecure))
	}
	return all
}

// serve serves the one connection, socket.
func (s *server) serve(socket *os.File) error {
	conn, err := net.FileConn(socket)
	if err != nil {
		return err
	}
	socket.Close()
	l := &oneConn{conns: make(chan net.Conn, 1), addr: conn.LocalAddr(), closed: s.ctx.Done()}
	l.conns <- conn
	go func() { _ = s.api.Serve(l) }() // ends with the process; its errors reach the client as a broken connection
	return nil
}

// close ends in the reverse order of opening. Running steps are killed.
func (s *server) close() error {
	s.cancel()
	if s.api != nil {
		s.api.Stop()
	}
	var errs []error
	for _, v := range slices.Backward(s.closers) {
		errs = append(errs, v())
	}
	if s.finish != nil {
		errs = append(errs, s.finish())
	}
	return errors.Join(errs...)
}

// oneConn is a listener that accepts once.
type oneConn struct {
	conns  chan net.Conn
	addr   net.Addr
	closed <-chan struct{}
}

func (l *oneConn) Accept() (net.Conn, error) {
	select {
	case c := <-l.conns:
		return c, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

func (l *oneConn) Close() error   { return nil }
func (l *oneConn) Addr() net.Addr { return l.addr }
