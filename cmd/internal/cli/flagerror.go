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
	if e, ok := errors.AsType[*pflag.InvalidValueError](err); ok && e.GetFlag().Value.Type() == "bool" {
		help = "write --" + e.GetFlag().Name + ", or leave it out: it takes no value"
	}
	return usagef(help, "%v", err)
}

// meantFlag returns the next action after a flag that cmd does not have, "" where there is none. Other tools' names
// for what is another one here come first.
func meantFlag(cmd *cobra.Command, name string) string {
	if answer := foreignAnswer(cmd, name); answer != "" {
		return answer
	}
	if len(name) == 1 {
		return "" // a letter is near to anything
	}
	var names []string
	cmd.Flags().VisitAll(func(f *pflag.Flag) {
		if !f.Hidden {
			names = append(names, f.Name)
		}
	})
	if near := nearest(names, name); near != "" {
		return "did you mean --" + near + "?"
	}
	return ""
}
