package cli

import (
	"context"

	"github.com/spf13/cobra"

	"mtool/cmd/internal/app"
)

const inspectLong = `Show a list or an image and check that every entry is what it claims to be.

For every entry: the descriptor in the list against the image's config, the child's presence, duplicates, entries
without a platform, platforms that are spelled as not every runtime matches them (x86_64, arm32v7). --require fails when
no entry serves a platform, as the nodes of that platform choose (mtool help nodes), --exact when its very entry is
missing or there is anything else. Exit code 3 and one line a finding when something is wrong.

--deep reads the layers of all images as streams, each distinct one once, and writes none to disk. Every executable and
shared object must be for the image's platform. A foreign file that something in the image would start or load is a
mismatch; any other foreign file is judged by its purpose (mtool help foreign-files): part of a package that has one for
this platform too, firmware, a sysroot. Without a known purpose it is a warning. --explain shows what needs a file, and
which rule decided.

States:

  claims-ok     descriptor and config agree; nothing is known of the binaries
  binaries-ok   every layer was read, and the binaries are for the platform
  partial       what the image starts is for the platform (--entrypoint-only: layers from the top, large ones only as far as
                needed, or by their tables of contents; --strict, -f and --cluster read them to their end and compare
                their digests, and read the whole image where what it starts can't be followed)
  mismatch      something is not what it claims to be
  unknown       every layer was read, and no binary was found
  unchecked     a layer could not be read: encrypted, foreign, over a limit, or runtimes read it differently (exit code 3)
Layers are laid over each other as overlayfs does. Where runtimes that unpack layers in place would show something else,
both are judged; what no tool writes, and runtimes take differently, is unchecked.

What was seen in a layer, never a verdict, is kept in the cache folder mtool/facts, which may be deleted at any time; a
second run reads no layer again. --no-facts neither uses nor keeps it, for gates on shared machines.

Before a layer is read, images can already look suspicious: one base, or one program, for two architectures; a base
whose name, label or history names another architecture. These are notes. With --strict they are failures, as are all
notes that change the verdict (mtool help notes). --deep settles them.

mtool also notes when the images of a list do not seem to be one program: labels with different versions or revisions,
times more than 30 days apart and, with --deep, programs in PATH that not every image has. --same makes these failures,
and differences in packages (dpkg, apk, RPM), settings, users and ports too, and prints a table. Differences that come
from the architecture are left out: its name in names, rebuilds (+b1), packages that only some architectures need
(libquadmath), microcode and boot loaders, checksums in variables. A note names an RPM database that can't be read (more
than 32 MiB, or with a journal); programs are then compared by name.

-f FILE checks the images that Kubernetes and Compose files name, on the platforms that each place needs: mtool help
deploy.

` + proofLong + `

A name with a registry host is looked up in that registry only; a bare name in drafts, the local store, then the
registry.
Also store:NAME, draft:NAME, oci:DIR[:TAG], oci-archive:FILE, docker-archive:FILE.`

func (a *application) inspectCommand() *cobra.Command {
	var f inspectFlags
	cmd := &cobra.Command{
		Use:        "inspect REF… | -f FILE",
		SuggestFor: []string{"digest", "validate"},
		Short:      "Show and verify every entry of a list",
		Long:       inspectLong,
		Example: `  mtool inspect --require linux/amd64,linux/arm64 registry.example.com/demo:v1
  mtool inspect --deep registry.example.com/demo:v1
  mtool inspect --deep --allow-foreign 'opt/sdk/**' registry.example.com/demo:v1
  mtool inspect --deep --same registry.example.com/demo:v1
  mtool inspect -f deploy.yaml --require linux/amd64,linux/arm64
  mtool inspect -o json demo:v1
  mtool inspect --format '{{.Digest}}' demo:v1`,
		RunE: func(cmd *cobra.Command, args []string) error { return a.runInspect(cmd.Context(), f, args) },
	}
	f.add(cmd.Flags())
	a.addNoTrunc(cmd.Flags())
	return cmd
}

func (a *application) runInspect(ctx context.Context, f inspectFlags, args []string) error {
	if err := f.options(ctx, args); err != nil {
		return err
	}
	env, err := a.env()
	if err != nil {
		return err
	}
	if f.raw {
		body, err := env.Raw(ctx, f.Refs[0], f.From)
		if err == nil {
			_, err = a.Out.Exact().Write(body)
		}
		return err
	}
	f.Workloads.In, f.Workloads.Skipped = a.In, a.skippedFiles
	defer app.BoundMemory()()
	seen, err := env.Inspect(ctx, f.InspectOptions)
	if shown := f.show(a.Out, seen, err); shown != nil {
		return shown
	}
	return err
}
