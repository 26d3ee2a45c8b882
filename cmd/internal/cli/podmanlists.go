package cli

import (
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"mtool/cmd/internal/app"
	"mtool/cmd/internal/app/podman"
	"mtool/cmd/internal/print"
	"mtool/compose"
	"mtool/compose/publish"
	"mtool/registry"
	"mtool/registry/login"
)

// codedError is an error with the exit code of another tool.
type codedError struct {
	error
	code int
}

func (e codedError) Unwrap() error { return e.error }

// coded returns err with an exit code, unless it has one; nil for nil.
func coded(err error, code int) error {
	if _, has := errors.AsType[codedError](err); err == nil || has {
		return err
	}
	return codedError{err, code}
}

// missing gives err podman's exit code if it is about a list that does not exist.
func missing(err error) error {
	if errors.Is(err, registry.ErrNotFound) {
		return coded(err, podmanMissing)
	}
	return err
}

// withPodmanCodes makes every error of a command podman's 125, unless the command has given it another code.
func withPodmanCodes(cmd *cobra.Command) {
	run, args := cmd.RunE, cmd.Args
	cmd.RunE = func(cmd *cobra.Command, args []string) error { return coded(run(cmd, args), podmanFailed) }
	cmd.Args = func(cmd *cobra.Command, words []string) error { return coded(args(cmd, words), podmanFailed) }
	cmd.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		if own, is := errors.AsType[usageError](err); is { // an empty value, which podman would take
			return own
		}
		return coded(flagError(cmd, err), podmanFailed)
	})
}

// podmanFlags are the flags about registries of podman's commands.
type podmanFlags struct {
	verify                   bool
	authFile, certDir, creds string
}

func (f *podmanFlags) add(fl *pflag.FlagSet) {
	fl.BoolVar(&f.verify, "tls-verify", true, "Require HTTPS and verify certificates")
	fl.StringVar(&f.authFile, "authfile", "", "Read the logins from this `FILE`")
	fl.StringVar(&f.certDir, "cert-dir", "", "Use the certificates in this directory: `DIR`")
	fl.StringVar(&f.creds, "creds", "", "Log in as `USER[:PASSWORD]`")
}

// podmanArtifact are the flags of podman add about artifacts.
type podmanArtifact struct {
	podman.Artifact
	of bool
}

func (p *podmanArtifact) add(fl *pflag.FlagSet) {
	fl.BoolVar(&p.of, "artifact", false, "Make an artifact of files and add it")
	fl.StringVar(&p.Type, "artifact-type", "", "Of the artifact: `TYPE`")
	fl.StringVar(&p.Config, "artifact-config", "", "Use the config in this `FILE`")
	fl.StringVar(&p.ConfigType, "artifact-config-type", "", "Of the config: `TYPE`")
	fl.StringVar(&p.LayerType, "artifact-layer-type", "", "Of the files: `TYPE`")
	fl.BoolVar(&p.ExcludeTitles, "artifact-exclude-titles", false, "Do not record the names of the files")
	fl.StringVar(&p.Subject, "artifact-subject", "", "The `IMAGE` that the artifact is about")
}

// check refuses flags that would do nothing.
func (p *podmanArtifact) check() error {
	if !p.of && p.Artifact != (podman.Artifact{}) {
		return usagef("add --artifact, with files in place of images", "--artifact-… without --artifact")
	}
	return nil
}

// podmanPacking are the flags of podman push about layers.
type podmanPacking struct {
	compressFlags
	level  int
	copied []string
}

func (p *podmanPacking) add(fl *pflag.FlagSet) {
	fl.StringVar(&p.format, "compression-format", "", "Compress the layers: `gzip|zstd|zstd:chunked`")
	fl.IntVar(&p.level, "compression-level", 0, "With --compression-format, the `LEVEL`")
	fl.BoolVar(&p.force, "force-compression", false, "Compress layers that have the format already too")
	fl.StringSliceVar(&p.copied, "add-compression", nil, "Give each image a copy: `gzip|zstd|zstd:chunked`")
}

// options reads the flags, for a list of that type. Images become Docker's once their layers are compressed, since
// Docker's format has no zstd.
func (p podmanPacking) options(kind compose.Type) (publish.Compression, error) {
	f := p.compressFlags
	switch {
	case p.level != 0 && f.format == "":
		return publish.Compression{}, usagef("", "--compression-level without --compression-format")
	case p.level != 0:
		f.format += ":" + strconv.Itoa(p.level)
	}
	f.copies = strings.Join(p.copied, ",")
	c, err := f.options(kind)
	if !c.IsZero() && kind == compose.TypeDocker {
		c.Convert = kind
	}
	return c, err
}

// lists runs a function of package podman. The flags apply to the registries of the names.
func (a *application) lists(f podmanFlags, names []string, run func(podman.Lists) error) error {
	if f.authFile != "" {
		if _, err := os.Stat(f.authFile); err != nil {
			return usagef("", "reading --authfile: %v", err)
		}
		if err := os.Setenv("REGISTRY_AUTH_FILE", f.authFile); err != nil {
			return err
		}
	}
	hosts := hostsOf(names)
	b := *a
	if err := b.addCertDir(f.certDir, hosts); err != nil {
		return err
	}
	return b.insecurely(!f.verify, names, func(env *app.Env) error {
		user, password, _ := strings.Cut(f.creds, ":")
		for _, host := range hosts {
			if f.creds != "" {
				env.Logins.Prefer(host, login.Auth{Username: user, Password: password, From: "--creds"})
			}
		}
		return run(podman.Lists{Env: env})
	})
}

// addCertDir adds the authorities and the client certificate of a directory as docker and podman lay it out.
func (a *application) addCertDir(dir string, hosts []string) error {
	if dir == "" {
		return nil
	}
	if _, err := os.Stat(dir); err != nil {
		return usagef("", "reading --cert-dir: %v", err)
	}
	authorities, err := filepath.Glob(filepath.Join(dir, "*.crt"))
	if err != nil {
		return err
	}
	a.caFiles = append(authorities, a.caFiles...)
	certificates, err := filepath.Glob(filepath.Join(dir, "*.cert"))
	for _, c := range certificates {
		for _, host := range hosts {
			a.clientCerts = append(a.clientCerts, host+"="+c+":"+strings.TrimSuffix(c, ".cert")+".key")
		}
	}
	return err
}

// printID shows what create, add, annotate and remove print.
func (a *application) printID(id string, err error) error {
	if err == nil {
		print.Println(a.Out, id)
	}
	return err
}
