package cli

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"mtool/cmd/internal/print"
	"mtool/cmd/internal/print/manual"
)

// docsCommand is for packagers; users have help. It generates its files from the commands, so that
// it can't be out of date, and depends on nothing else.
func (a *application) docsCommand() *cobra.Command {
	return &cobra.Command{
		Use: "docs DIR", Hidden: true, Short: "Write man pages, completions and a reference in Markdown into a directory",
		Args: exactly(1, "mtool docs DIR"),
		RunE: func(cmd *cobra.Command, args []string) error {
			files, err := a.docs(cmd.Root())
			if err != nil {
				return err
			}
			for _, f := range files {
				name := filepath.Join(args[0], f.name)
				if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
					return fmt.Errorf("making the directory of %q: %w", name, err)
				}
				if err := os.WriteFile(name, []byte(f.body), 0o644); err != nil {
					return fmt.Errorf("writing %q: %w", name, err)
				}
			}
			print.Println(a.Out, args[0])
			return nil
		},
	}
}

// doc is a file about mtool, by its path with slashes.
type doc struct{ name, body string }

// docs are all files: man/man1 and man/man7, completions, and reference.md.
func (a *application) docs(root *cobra.Command) ([]doc, error) {
	var all []doc
	var reference strings.Builder
	reference.WriteString(
		"# Reference of mtool\n\nMade by `mtool docs`: what `mtool help --all COMMAND` and `mtool help TOPIC` print.\n")
	for _, cmd := range documented(root) {
		p := a.page(cmd)
		if !cmd.HasParent() {
			p.Flags = flagGroups(a.flags)
		}
		all = append(all, doc{"man/man1/" + strings.ReplaceAll(p.Name, " ", "-") + ".1", p.Roff("1", version())})
		reference.WriteString("\n" + p.Markdown())
	}
	for _, t := range a.topics() {
		if t.file {
			continue // to be printed where it is wanted
		}
		p := manual.Page{Name: "mtool " + t.name, Short: t.short, Text: t.text(), Words: words()}
		all = append(all, doc{"man/man7/mtool-" + t.name + ".7", p.Roff("7", version())})
		reference.WriteString("\n" + p.Markdown())
	}
	completions, err := completions(root)
	return append(append(all, doc{"reference.md", reference.String()}), completions...), err
}

// documented are the commands that have a page, in the order of the main help.
func documented(cmd *cobra.Command) []*cobra.Command {
	all := []*cobra.Command{cmd}
	for _, c := range cmd.Commands() {
		if c.IsAvailableCommand() || c.Name() == "help" {
			all = append(all, documented(c)...)
		}
	}
	return all
}

// completions are the scripts of completion, under the names by which each shell finds them.
func completions(root *cobra.Command) ([]doc, error) {
	var all []doc
	for _, shell := range []struct {
		file  string
		write func(*bytes.Buffer) error
	}{
		{"mtool.bash", func(b *bytes.Buffer) error { return root.GenBashCompletionV2(b, true) }},
		{"_mtool", func(b *bytes.Buffer) error { return root.GenZshCompletion(b) }},
		{"mtool.fish", func(b *bytes.Buffer) error { return root.GenFishCompletion(b, true) }},
		{"mtool.ps1", func(b *bytes.Buffer) error { return root.GenPowerShellCompletionWithDesc(b) }},
	} {
		var b bytes.Buffer
		if err := shell.write(&b); err != nil {
			return nil, fmt.Errorf("making completion %q: %w", shell.file, err)
		}
		all = append(all, doc{"completions/" + shell.file, b.String()})
	}
	return all, nil
}
