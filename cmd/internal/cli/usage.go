package cli

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"mtool/cmd/internal/print"
)

// group is a heading of the main help with its commands, in the order of the work.
type group struct {
	title    string
	commands []string
}

func groups() []group {
	return []group{
		{"Build, merge, publish, verify", []string{"build", "create", "push", "inspect"}},
		{"Lists", []string{"amend", "annotate", "remove", "rename", "diff", "resolve"}},
		{"Images", []string{"copy", "load", "save", "exists", "ls", "tags", "rm", "delete", "du", "prune", "serve"}},
		{"This machine", []string{"workers", "emulators", "login", "logout", "auth", "completion", "version", "help"}},
		{"In place of other tools", []string{"manifest", "imagetools"}},
	}
}

// usage prints what follows the text of a command's help. Flags are wrapped on a terminal.
func (a *application) usage(cmd *cobra.Command) error {
	lines := []string{"Usage:"}
	if cmd.Runnable() && cmd.HasParent() {
		lines = append(lines, "  "+cmd.UseLine())
	}
	if cmd.HasAvailableSubCommands() {
		lines = append(lines, "  "+cmd.CommandPath()+" COMMAND")
	}
	if cmd.HasExample() {
		lines = append(lines, "", "Examples:", cmd.Example)
	}
	if len(cmd.Aliases) > 0 {
		lines = append(lines, "", "Aliases: "+strings.Join(cmd.Aliases, ", "))
	}
	if cmd.HasParent() {
		lines = append(lines, listed("Commands", cmd.Commands())...)
		if flags := cmd.LocalNonPersistentFlags(); flags.HasAvailableFlags() {
			lines = append(lines, "", "Flags:", strings.TrimRight(flags.FlagUsagesWrapped(a.width()), "\n"), "")
		}
	} else {
		lines = append(append(lines, contents(cmd)...), "")
	}
	if cmd.HasAvailableSubCommands() {
		lines = append(lines, cmd.CommandPath()+" COMMAND --help prints the help of a command.")
	}
	lines = append(lines, "Flags of every command (registries, TLS, retries, time limits, --quiet): mtool help flags")
	for line := range strings.SplitSeq(strings.Join(lines, "\n"), "\n") {
		print.Println(cmd.OutOrStderr(), line)
	}
	return nil
}

// width returns the columns of the terminal, and 0 where the output is no terminal.
func (a *application) width() int {
	if f := a.Out.Terminal(); f != nil {
		if columns, _, err := term.GetSize(int(f.Fd())); err == nil {
			return columns
		}
	}
	return 0
}

// contents lists all commands, in groups, and the topics.
func contents(root *cobra.Command) []string {
	all := root.Commands()
	var lines []string
	for _, g := range groups() {
		var members []*cobra.Command
		for _, name := range g.commands {
			if n := slices.IndexFunc(all, func(c *cobra.Command) bool { return c.Name() == name }); n >= 0 {
				members = append(members, all[n])
			}
		}
		lines = append(lines, listed(g.title, members)...)
	}
	lines = append(lines, "", "Topics (mtool help TOPIC):")
	for _, c := range all {
		if c.IsAdditionalHelpTopicCommand() {
			lines = append(lines, row(c))
		}
	}
	return lines
}

func listed(title string, commands []*cobra.Command) []string {
	if len(commands) == 0 {
		return nil
	}
	lines := []string{"", title + ":"}
	for _, c := range commands {
		if c.IsAvailableCommand() || c.Name() == "help" {
			lines = append(lines, row(c))
		}
	}
	return lines
}

func row(c *cobra.Command) string { return fmt.Sprintf("  %-14s  %s", c.Name(), c.Short) }

// writeFlags is the help topic of the flags that every command has.
func (a *application) writeFlags(w io.Writer) {
	print.Println(w, "Flags of every command:")
	for line := range strings.Lines(a.flags.FlagUsagesWrapped(a.width())) {
		print.Println(w, strings.TrimRight(line, "\n"))
	}
}
