package cli

import (
	"os"

	"github.com/spf13/cobra"

	"mtool/cmd/internal/print"
)

const workersLong = `Show the workers that a build would use: the one inside mtool, or those of --worker, MTOOL_WORKERS (a list with commas) or
BUILDKIT_HOST, with BuildKit's version, the platforms each runs natively and by emulation, and how long it takes to
answer. The embedded worker is started for this. A worker that does not answer makes the command fail, after all are
shown.

BuildKit does not report what it emulates. So mtool runs a tiny program on a remote worker for each architecture that
the worker
lists; it prints what the kernel started. Where that is not possible, the answer is a guess, with a question mark.`

func (a *application) workersCommand() *cobra.Command {
	var f workerFlags
	var output string
	var profile bool
	cmd := &cobra.Command{
		Use:   "workers [--worker [PLATFORM=]ADDR]…",
		Short: "Show where builds run, and what each worker can run",
		Long:  workersLong,
		Example: `  mtool workers
  mtool workers --worker tcp://arm.example.com:1234 --worker-ca ca.pem
  mtool workers --apparmor-profile | sudo tee /etc/apparmor.d/mtool`,
		Args: exactly(0, "mtool workers"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if profile {
				self, err := os.Executable()
				if err != nil {
					return err
				}
				print.AppArmorProfile(a.Out, self)
				return nil
			}
			if err := oneOf("--output", output, "table", "json"); err != nil {
				return err
			}
			where, err := f.execution()
			if err != nil {
				return err
			}
			env, err := a.env()
			if err != nil {
				return err
			}
			seen, failed := env.Workers(cmd.Context(), where)
			if err := print.Workers(a.Out, output, seen); err != nil {
				return err
			}
			return failed
		},
	}
	f.addresses(cmd.Flags())
	cmd.Flags().StringVarP(&output, "output", "o", "table", "how to show it: `table|json`")
	cmd.Flags().BoolVar(&profile, "apparmor-profile", false,
		"print a profile for AppArmor, and end\nit lets this mtool make user namespaces where AppArmor restricts them")
	return cmd
}
