package cli

import (
	"net/url"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"mtool/build"
	"mtool/inspect/platform"
)

// workerFlags are the flags that say where a build runs.
type workerFlags struct {
	workers              []string
	tls                  build.WorkerTLS
	nativeOnly           bool
	timeout, idleTimeout time.Duration
	keepStorage          string
	allow                []string
	noProcessSandbox     bool
	maxParallelism       int
}

// register adds all of them; addresses alone are what other commands than build take.
func (f *workerFlags) register(fl *pflag.FlagSet) {
	f.addresses(fl)
	fl.BoolVar(&f.nativeOnly, "native-only", false, "fail rather than emulate a platform")
	fl.DurationVar(&f.timeout, "timeout", 0, "stop the build after this `DURATION`, as in 20m")
	fl.DurationVar(&f.idleTimeout, "idle-timeout", 0,
		"stop a build that is silent for this `DURATION`, as in 5m\nby default never; its requests to registries stand still for no longer either, and at most a minute")
	fl.IntVar(&f.maxParallelism, "max-parallelism", 0,
		"build this `COUNT` of platforms, or steps, at a time\nsteps in the worker inside mtool (default: a step for each processor, and all platforms)")
	fl.StringSliceVar(&f.allow, "allow", nil, "let steps ask for this `ENTITLEMENT`\nnetwork.host, security.insecure")
	fl.BoolVar(&f.noProcessSandbox, "no-process-sandbox", false,
		"let RUN steps see the worker's processes\nthose around the embedded worker, as they must in a container that hides parts of /proc (there it is done without asking)")
	fl.StringVar(&f.keepStorage, "keep-storage", "",
		"cut the build cache back to this `SIZE` afterwards\nthat of the embedded worker, for example 10GB (default: a tenth of its disk, at most 20GB)")
}

func (f *workerFlags) addresses(fl *pflag.FlagSet) {
	fl.StringArrayVar(&f.workers, "worker", nil,
		"BuildKit worker to use: `[PLATFORM=]ADDR`\nunix://PATH, tcp://HOST:PORT, docker-container://NAME, podman-container://NAME, "+
			"kube-pod://POD, ssh://HOST, docker-engine, or embedded, the one inside mtool (default: MTOOL_WORKERS, BUILDKIT_HOST, embedded)")
	fl.StringVar(&f.tls.CA, "worker-ca", "",
		"`FILE` with the authority of tcp:// workers\nthe certificate that signs theirs")
	fl.StringVar(&f.tls.Cert, "worker-cert", "", "`FILE` with the client certificate for tcp:// workers")
	fl.StringVar(&f.tls.Key, "worker-key", "", "`FILE` with the key of --worker-cert")
	fl.StringVar(&f.tls.ServerName, "worker-server-name", "",
		"`NAME` in the certificate of tcp:// workers\nby default the host of the address")
}

// execution reads the flags, and the environment where they say nothing.
func (f *workerFlags) execution() (w build.Execution, err error) {
	w = build.Execution{
		TLS: f.tls, NativeOnly: f.nativeOnly, Timeout: f.timeout, IdleTimeout: f.idleTimeout,
		Allow: f.allow, NoProcessSandbox: f.noProcessSandbox, MaxParallelism: f.maxParallelism,
	}
	if w.Workers, err = parseWorkers(f.workers, os.Getenv); err != nil {
		return w, err
	}
	for _, e := range f.allow {
		if err := oneOf("--allow", e, build.AllowNetworkHost, build.AllowInsecure); err != nil {
			return w, err
		}
	}
	if f.noProcessSandbox && slices.Contains(f.allow, build.AllowInsecure) {
		return w, usagef("leave one of them out",
			"--no-process-sandbox with --allow %s would let steps read the memory of mtool's worker", build.AllowInsecure)
	}
	if f.maxParallelism < 0 {
		return w, usagef("--max-parallelism 1", "--max-parallelism can't be negative")
	}
	if f.timeout < 0 || f.idleTimeout < 0 {
		return w, usagef("--timeout 20m", "a timeout can't be negative")
	}
	if f.keepStorage != "" {
		if w.KeepStorage, err = parseSize("--keep-storage", f.keepStorage); err != nil {
			return w, err
		}
	}
	return w, nil
}

// parseWorkers reads [PLATFORM=]ADDR; without flags MTOOL_WORKERS, a list with commas or spaces, then BUILDKIT_HOST.
func parseWorkers(flags []string, env func(string) string) ([]build.WorkerAddr, error) {
	values := flags
	if len(values) == 0 {
		values = strings.FieldsFunc(env("MTOOL_WORKERS"), func(r rune) bool { return r == ',' || r == ' ' || r == '\n' })
	}
	if host := env("BUILDKIT_HOST"); len(values) == 0 && host != "" {
		values = []string{host}
	}
	var all []build.WorkerAddr
	for _, v := range values {
		a := build.WorkerAddr{Addr: v}
		if before, addr, ok := strings.Cut(v, "="); ok && !strings.Contains(before, "://") {
			p, err := platform.Parse(before)
			if err != nil {
				return nil, badInput(err)
			}
			a = build.WorkerAddr{Addr: addr, Platform: &p}
		}
		if err := checkWorker(a.Addr); err != nil {
			return nil, err
		}
		all = append(all, a)
	}
	return all, nil
}

// checkWorker returns an error for what can't be the address of a worker.
func checkWorker(addr string) error {
	if addr != build.Embedded && addr != build.DockerEngine && !strings.Contains(addr, "://") {
		return usagef("--worker tcp://"+addr,
			"worker %q is no address: unix://PATH, tcp://HOST:PORT, docker-container://NAME …, docker-engine, or embedded", addr)
	}
	if u, err := url.Parse(addr); err == nil && u.User != nil {
		if _, secret := u.User.Password(); secret {
			return usagef("", "worker %q: its address takes no password", u.Redacted())
		}
	}
	if strings.HasSuffix(addr, "://") {
		return usagef("", "worker %q names nothing behind its scheme (an unset variable?)", addr)
	}
	return nil
}
