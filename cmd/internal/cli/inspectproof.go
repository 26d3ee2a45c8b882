package cli

import (
	"context"
	"time"

	"github.com/spf13/pflag"

	"mtool/cmd/internal/app"
	"mtool/inspect"
	"mtool/inspect/signature"
	"mtool/registry/regular"
)

const proofLong = `--run 'CMD' also runs CMD in every image: on the machine or worker for its platform, or under QEMU, with the image's
environment, user and working directory, and without a network. The outputs are shown side by side. CMD is split into
words and started without a shell, instead of the image's entrypoint, so images without a shell work: --run '/app
--version'. With a shell: --run 'sh -c "app --version | head -1"'. --run '' runs what the image starts by itself,
--run-args 'ARGS' its entrypoint with other arguments. A command that fails is exit code 3. Success proves nothing about
the architecture: the kernel or an emulator may have run a foreign program. Only --deep proves it.

--signatures lists the signatures of the list and of every image, found by cosign's tags and by referrers. --signed-by
cosign.pub fails unless the list and every image have a signature of exactly their digest by that key (of several keys:
by one of them). --signed list or --signed entries demands only that half. Keyless signatures, and notation's, are
listed but do not count. --provenance reads BuildKit's provenance and fails where it is about another image or another
platform: by its
name or, with mode=max, by the base of the last stage. {{json (index .Platforms 0).Provenance}} and .SBOM print both.`

// proofFlags are the flags of inspect that look at more than claims and binaries.
type proofFlags struct {
	run, runArgs given
	timeout      time.Duration
	worker       workerFlags
	signatures   bool
	signedBy     []string
	signed       string
	provenance   bool
}

func (f *proofFlags) register(fl *pflag.FlagSet) {
	fl.Var(&f.run, "run", "run this `COMMAND` in every image\n'' is what the image starts by itself")
	fl.Var(&f.runArgs, "run-args", "run every image's entrypoint with these `ARGS`")
	mayBeEmpty(fl, "run", "runs what the image starts by itself")
	mayBeEmpty(fl, "run-args", "runs the image's entrypoint without arguments")
	fl.DurationVar(&f.timeout, "run-timeout", time.Minute, "stop a command of --run after this `DURATION`")
	f.worker.addresses(fl)
	fl.BoolVar(&f.worker.nativeOnly, "native-only", false, "with --run: fail rather than emulate a platform")
	fl.BoolVar(&f.signatures, "signatures", false, "show which signatures the list and its images have")
	fl.StringArrayVar(&f.signedBy, "signed-by", nil,
		"fail unless all is signed with this `KEY`\na file with a public key in PEM; of several keys, with one of them")
	fl.StringVar(&f.signed, "signed", "all", "what must be signed with --signed-by: `all|list|entries`")
	fl.BoolVar(&f.provenance, "provenance", false, "compare the images' provenance with their claims")
}

// options checks the flags.
func (f *proofFlags) options(ctx context.Context, o *app.ProofOptions) (err error) {
	o.Signatures, o.Provenance, o.Scope = f.signatures, f.provenance, signature.Scope(f.signed)
	if err := oneOf("--signed", f.signed, string(signature.All), string(signature.List),
		string(signature.Entries)); err != nil {
		return err
	}
	if f.signed != string(signature.All) && len(f.signedBy) == 0 {
		return usagef("mtool inspect --signed-by cosign.pub --signed "+f.signed+" REF", "--signed needs --signed-by")
	}
	if o.Keys, err = readKeys(ctx, f.signedBy); err != nil {
		return err
	}
	if o.Run = f.run.set || f.runArgs.set; !o.Run {
		if len(f.worker.workers) > 0 || f.worker.nativeOnly {
			return usagef("mtool inspect --run CMD --worker ADDR REF", "--worker and --native-only need --run")
		}
		return nil
	}
	if f.timeout <= 0 {
		return usagef("mtool inspect --run CMD --run-timeout 1m REF", "--run-timeout %s: a command needs time", f.timeout)
	}
	if o.Command, err = f.command(); err != nil {
		return err
	}
	o.Trial.Limit = f.timeout
	o.Trial.Execution, err = f.worker.execution()
	return err
}

func (f *proofFlags) command() (c inspect.Command, err error) {
	if f.run.set && f.runArgs.set {
		return c, usagef("mtool inspect --run CMD REF", "--run and --run-args are two ways to say what to run")
	}
	if c.Words, err = splitCommand("--run", f.run.text); err != nil {
		return c, err
	}
	c.Args, err = splitCommand("--run-args", f.runArgs.text)
	return c, err
}

func readKeys(ctx context.Context, files []string) (keys []signature.Key, err error) {
	for _, file := range files {
		data, err := regular.ReadTyped(ctx, file, regular.MaxText)
		if err != nil {
			return nil, usagef("mtool inspect --signed-by cosign.pub REF", "reading the key: %v", err)
		}
		key, err := signature.ParseKey(file, data)
		if err != nil {
			return nil, usagef("mtool inspect --signed-by cosign.pub REF", "%v", err)
		}
		keys = append(keys, key)
	}
	return keys, nil
}

// given is the value of a flag that may be empty and given nevertheless.
type given struct {
	text string
	set  bool
}

func (g *given) Set(text string) error { g.text, g.set = text, true; return nil }
func (g *given) Type() string          { return "string" }
func (g *given) String() string        { return g.text }
