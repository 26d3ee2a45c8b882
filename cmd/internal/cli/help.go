package cli

import (
	"strings"

	"github.com/spf13/cobra"
)

// helpCommand replaces cobra's, which answers a topic that does not exist with the main help and exit code 0.
func (a *application) helpCommand() *cobra.Command {
	var whole bool
	cmd := &cobra.Command{
		Use:     "help [COMMAND | TOPIC]",
		Short:   "Print the help of a command or of a topic",
		Example: "  mtool help build\n  mtool help --all build\n  mtool help names",
		ValidArgsFunction: func(cmd *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
			at, _, err := cmd.Root().Find(args)
			if err != nil {
				return nil, cobra.ShellCompDirectiveNoFileComp
			}
			var names []string
			for _, c := range at.Commands() {
				if !c.Hidden {
					names = append(names, c.Name()+"\t"+c.Short)
				}
			}
			return names, cobra.ShellCompDirectiveNoFileComp
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			root := cmd.Root()
			if len(args) > 0 && args[0] == root.Name() { // docker help mtool
				args = args[1:]
			}
			at, rest, err := root.Find(args)
			switch {
			case err == nil && len(rest) == 0 && whole && (at.Runnable() || at.HasSubCommands()):
				a.showHelp(at, true)
				return nil
			case err == nil && len(rest) == 0:
				return at.Help()
			}
			hint := "mtool help"
			if near := suggestion(root, args[0]); near != "" {
				hint += " " + near
			}
			return usagef(hint, "no command or help topic %q", strings.Join(args, " "))
		},
	}
	cmd.Flags().BoolVarP(&whole, "all", "a", false, "the whole text, and all flags with every word")
	return cmd
}

// suggestion returns the name of the command or topic that is nearest to name, and "" where none is near. It never
// returns a command that deletes.
func suggestion(cmd *cobra.Command, name string) string {
	for _, near := range cmd.SuggestionsFor(name) {
		switch near {
		case "rm", "remove", "delete", "prune", "logout":
		default:
			return near
		}
	}
	for _, c := range cmd.Commands() { // cobra suggests no topic: a topic does not run
		if !c.Runnable() && (strings.HasPrefix(c.Name(), strings.ToLower(name)) || strings.EqualFold(c.Name(), name+"s")) {
			return c.Name()
		}
	}
	return ""
}

// elsewhere returns the command line that does here what a command of that name does in docker, podman, crane, regctl,
// skopeo or manifest-tool; "" where there is none.
func elsewhere(name string) string {
	switch name {
	case "ps", "image":
		return "mtool ls"
	case "pull":
		return "mtool copy IMAGE store:NAME"
	case "tag":
		return "mtool copy NAME NEWNAME, or mtool rename NAME NEWNAME for a draft"
	case "run", "exec":
		return "mtool inspect --run 'COMMAND' IMAGE runs a command in every entry"
	case "rmi", "delete", "del":
		return "mtool rm NAME deletes drafts and images of the local store"
	case "buildx", "bake":
		return "mtool build"
	case "digest", "config", "manifest-inspect", "raw":
		return "mtool inspect -o json IMAGE, or --format TEMPLATE"
	case "append", "mutate", "index", "from-args", "push-to":
		return "mtool create LIST IMAGE…"
	case "from-spec":
		return "mtool create --spec FILE"
	case "validate", "verify", "check":
		return "mtool inspect --deep IMAGE"
	case "cp", "sync":
		return "mtool copy"
	case "export":
		return "mtool save"
	case "import":
		return "mtool load"
	}
	return ""
}
