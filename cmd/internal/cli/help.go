package cli

import (
	"cmp"
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
		ValidArgsFunction: func(cmd *cobra.Command, args []string, toComplete string) ([]string, cobra.ShellCompDirective) {
			at, _, err := cmd.Root().Find(args)
			if err != nil {
				return nil, cobra.ShellCompDirectiveNoFileComp
			}
			var names []string
			for _, c := range at.Commands() {
				if !c.Hidden && strings.HasPrefix(c.Name(), toComplete) {
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
			near := cmp.Or(answerTo(foreignTopics(), args[0]), suggestion(root, args[0]))
			return usagef(strings.TrimSpace("mtool help "+near), "no command or help topic %q", strings.Join(args, " "))
		},
	}
	cmd.Flags().BoolVarP(&whole, "all", "a", false, "the whole text, and all flags with every word")
	return cmd
}
