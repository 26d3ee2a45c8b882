package cli

import (
	"cmp"
	"errors"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// flagError puts what is wrong with a flag into the user's words, and names the one that was likely meant.
func flagError(cmd *cobra.Command, err error) error {
	help := cmd.CommandPath() + " --help"
	if e, ok := errors.AsType[usageError](err); ok {
		return e
	}
	if e, ok := errors.AsType[*pflag.NotExistError](err); ok {
		return usagef(cmp.Or(meantFlag(cmd, e.GetSpecifiedName()), help), "%v", err)
	}
	return usagef(help, "%v", err)
}

// meantFlag is the next action after a flag that cmd does not have; "" is none. Other tools' names for what is
// another one here come first.
func meantFlag(cmd *cobra.Command, name string) string {
	switch name {
	case "insecure", "allow-insecure", "dest-insecure", "src-insecure", "tls-verify", "dest-tls-verify", "src-tls-verify":
		return "--plain-http HOST for a registry without TLS, --tls-skip-verify HOST for one whose certificate can't be verified"
	case "all", "multi-arch":
		return "leave it out: a list is always taken whole"
	case "authfile", "registry-config":
		return "REGISTRY_AUTH_FILE or DOCKER_CONFIG name the file with the logins"
	case "builder":
		return "--worker ADDRESS names the worker that builds"
	case "attest":
		return "--sbom=true and --provenance=mode=max make attestations"
	case "json", "raw":
		return "-o json"
	case "memory", "m":
		return "mtool does not limit the memory of steps; --ulimit sets limits of their processes"
	case "call":
		return "--check for call=check"
	case "p", "override-os", "override-arch", "os", "arch":
		if cmd.Flags().Lookup("require") != nil {
			return "--require OS/ARCH demands a platform"
		}
	case "to":
		return "name the targets after the list: mtool push LIST TARGET…"
	case "t", "tag", "target":
		if cmd.Name() == "push" {
			return "name the targets after the list: mtool push LIST TARGET…"
		}
	}
	names := &cobra.Command{SuggestionsMinimumDistance: 2}
	cmd.Flags().VisitAll(func(f *pflag.Flag) {
		names.AddCommand(&cobra.Command{Use: f.Name, Run: func(*cobra.Command, []string) {}})
	})
	if near := names.SuggestionsFor(name); len(near) > 0 {
		return "did you mean --" + near[0] + "?"
	}
	return ""
}
