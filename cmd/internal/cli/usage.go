package cli

import (
	"io"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"mtool/cmd/internal/print"
	"mtool/cmd/internal/print/manual"
)

// helpRows is how long the help of a command may be: two screens of a terminal of the usual size.
const helpRows = 48

// showHelp prints the help of a command, as wide as the terminal is; whole is every word of it.
func (a *application) showHelp(cmd *cobra.Command, whole bool) {
	rows := helpRows
	if whole {
		rows = 0
	}
	for _, line := range a.page(cmd).Screen(a.columns(), rows) {
		print.Println(cmd.OutOrStdout(), line)
	}
}

// columns is how wide a line of help may be.
func (a *application) columns() int {
	const usual, narrowest, widest = 80, 40, 100
	if f := a.Out.Terminal(); f != nil {
		if columns, _, err := term.GetSize(int(f.Fd())); err == nil && columns > 0 {
			return min(max(columns, narrowest), widest)
		}
	}
	return usual
}

// page is what the manual says of a command.
func (a *application) page(cmd *cobra.Command) manual.Page {
	p := manual.Page{
		Name: cmd.CommandPath(), Short: cmd.Short, Text: cmd.Long, Examples: cmd.Example,
		Flags: flagGroups(cmd.LocalNonPersistentFlags()),
		Words: words(),
		Rest:  "The whole text: mtool help --all" + strings.TrimPrefix(cmd.CommandPath(), "mtool"),
	}
	if p.Text == "" {
		p.Text = cmd.Short + "."
	}
	if !cmd.HasParent() {
		p.Flags = nil // those of every command
	}
	if cmd.HasParent() && (len(p.Flags) > 0 || !cmd.HasAvailableSubCommands()) {
		p.Usage = append(p.Usage, cmd.UseLine())
	}
	if cmd.HasAvailableSubCommands() {
		p.Usage = append(p.Usage, cmd.CommandPath()+" COMMAND")
		p.Commands = commandGroups(cmd)
		p.Foot = append(p.Foot, "Help of a command: "+cmd.CommandPath()+" COMMAND --help")
	}
	if len(cmd.Aliases) > 0 {
		p.Foot = append(p.Foot, "Aliases: "+strings.Join(cmd.Aliases, ", "))
	}
	p.Foot = append(p.Foot, "Flags of every command (registries, TLS, retries, --quiet …): mtool help flags")
	a.translate(&p, cmd)
	return p
}

// words are the headings of a page.
func words() manual.Words {
	return manual.Words{Usage: "Usage:", Examples: "Examples:", Description: "Description:"}
}

// writeFlags is the help topic of the flags that every command has.
func (a *application) writeFlags(w io.Writer) {
	p := manual.Page{
		Text:  "Flags of every command. What registries need is better kept in a file: mtool help registries.",
		Flags: flagGroups(a.flags),
	}
	for _, line := range p.Screen(a.columns(), 0) {
		print.Println(w, line)
	}
}
