package cli

import (
	"github.com/spf13/cobra"

	"mtool/build"
	"mtool/cmd/internal/print"
	"mtool/inspect/platform"
)

const emulatorsLong = `Show how this machine runs each architecture: natively, emulated by QEMU, or not at all. 386 on
amd64, and arm on arm64, are native only where the kernel runs a tiny test program.

A build registers the emulators it needs, static QEMU binaries from MTOOL_HOME/emulators, then PATH, in a private
binfmt_misc (Linux 6.7 and later); nothing is registered on the host. Older kernels need an entry of the host that works
in containers; the column HOST shows it.

--test runs a tiny program of each architecture as a RUN step would; exit code 9 if one does not run.`

func (a *application) emulatorsCommand() *cobra.Command {
	var output string
	var test bool
	cmd := &cobra.Command{
		Use:   "emulators",
		Short: "Show which architectures this machine runs, and how",
		Long:  emulatorsLong,
		Example: `  mtool emulators --test
  sudo mtool emulators install --host arm64`,
		Args: exactly(0, "mtool emulators"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := oneOf("--output", output, "table", "json"); err != nil {
				return err
			}
			env, err := a.env()
			if err != nil {
				return err
			}
			rows, failed := env.Emulators(cmd.Context(), test)
			if len(rows) > 0 {
				if err := print.Emulators(a.Out, output, rows); err != nil {
					return err
				}
			}
			return failed
		},
	}
	cmd.Flags().StringVarP(&output, "output", "o", "table", "how to show it: `table|json`")
	cmd.Flags().BoolVar(&test, "test", false, "run a tiny program of each architecture")
	cmd.AddCommand(a.emulatorsChangeCommand(true), a.emulatorsChangeCommand(false))
	return cmd
}

const installLong = `Register QEMU emulators with this machine's kernel, for everything that runs on it: Docker Engine, Podman, a shell.

Builds by mtool don't need this. It takes root, lasts until the next boot, and has the flags POCF: argv[0] is kept,
set-user-id
programs work, and the binary is opened once, for all containers. Where an entry works already nothing is changed.`

// emulatorsChangeCommand is `install` or `uninstall`.
func (a *application) emulatorsChangeCommand(install bool) *cobra.Command {
	var host bool
	verb, short, long := "uninstall", "Remove the entries that install made",
		"Remove the entries that install made. Those of other programs are left."
	if install {
		verb, short, long = "install", "Register emulators with this machine's kernel", installLong
	}
	cmd := &cobra.Command{
		Use: verb + " [ARCH…] --host", Short: short, Long: long,
		RunE: func(_ *cobra.Command, args []string) error {
			if !host {
				return usagef("mtool emulators "+verb+" --host",
					"this changes the whole machine, and builds by mtool do not need it: ask for it with --host")
			}
			platforms, err := platform.ParseArchList(args)
			if err != nil {
				return badInput(err)
			}
			env, err := a.env()
			if err != nil {
				return err
			}
			change := build.UninstallEmulators
			if install {
				change = env.InstallEmulators
			}
			done, failed := change(platforms)
			for _, line := range print.Registered(done, install) {
				a.note(line)
			}
			return failed
		},
	}
	cmd.Flags().BoolVar(&host, "host", false, "confirm: it changes the whole machine")
	return cmd
}
