package cli

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/spf13/cobra"
	"golang.org/x/term"

	"mtool/cmd/internal/app"
	"mtool/cmd/internal/print"
	"mtool/registry"
)

func (a *application) tagsCommand() *cobra.Command {
	var output string
	cmd := &cobra.Command{
		Use:     "tags NAME",
		Short:   "List the tags of a repository in its registry",
		Long:    "List the tags of a repository, one a line, semantic versions last and in their order. A tag in NAME is ignored.",
		Example: "  mtool tags registry.example.com/demo",
		Args:    exactly(1, "mtool tags NAME"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := oneOf("--output", output, "table", "json"); err != nil {
				return err
			}
			ref, err := parseInRegistry(args[0])
			if err != nil {
				return err
			}
			env, err := a.env()
			if err != nil {
				return err
			}
			tags, err := env.Tags(cmd.Context(), ref)
			if err != nil {
				return err
			}
			return print.Names(a.Out, output, tags)
		},
	}
	cmd.Flags().StringVarP(&output, "output", "o", "table", "how to show it: `table|json`")
	return cmd
}

// parseInRegistry reads the name of something in a registry.
func parseInRegistry(name string) (registry.Ref, error) {
	ref, err := registry.ParseRef(name)
	switch {
	case err != nil:
		return ref, badInput(err)
	case ref.Transport != registry.TransportRegistry && ref.Transport != "":
		return ref, usagef("write HOST/NAME", "%q is not in a registry", name)
	}
	return ref, nil
}

type deleteFlags struct{ dryRun, yes bool }

func (a *application) deleteCommand() *cobra.Command {
	var f deleteFlags
	cmd := &cobra.Command{
		Use:   "delete HOST/NAME:TAG|HOST/NAME@DIGEST…",
		Short: "Delete tags, or manifests with all of their tags, in a registry",
		Long: `Delete in a registry. A tag is deleted by itself: the manifest that it points to stays, with its other tags. A digest is
deleted with its manifest and every tag that points to it; one that a list of the repository still has as an entry is not
deleted (exit code 7). Names are read before anything is deleted, and all must be there (exit code 4). On a terminal mtool
asks first, unless --yes is given.

Registries differ: some delete nothing, or nothing by tag (exit code 8). mtool rm deletes what is on this machine.`,
		Example: `  mtool delete registry.example.com/demo:v1-rc
  mtool delete --dry-run registry.example.com/demo@sha256:…`,
		Args: atLeast(1, "mtool delete HOST/NAME:TAG…"),
		RunE: func(cmd *cobra.Command, args []string) error { return a.delete(cmd.Context(), args, f) },
	}
	fl := cmd.Flags()
	fl.BoolVar(&f.dryRun, "dry-run", false, "print what would be deleted, and delete nothing")
	fl.BoolVarP(&f.yes, "yes", "y", false, "do not ask on a terminal")
	return cmd
}

func (a *application) delete(ctx context.Context, args []string, f deleteFlags) error {
	refs, err := deletable(args)
	if err != nil {
		return err
	}
	env, err := a.env()
	if err != nil {
		return err
	}
	var plan []app.Deletion
	var errs []error
	for _, ref := range refs {
		d, err := env.PlanDeletion(ctx, ref)
		plan, errs = append(plan, d), append(errs, err)
	}
	if err := errors.Join(errs...); err != nil {
		return err // and nothing is deleted
	}
	if f.dryRun {
		for _, d := range plan {
			print.Println(a.Out, "would delete "+described(d))
		}
		return nil
	}
	if yes, err := a.confirmed(ctx, plan, f.yes); err != nil || !yes {
		return err
	}
	for _, d := range plan {
		if err := env.Delete(ctx, d); err != nil {
			errs = append(errs, err)
			continue
		}
		print.Println(a.Out, "deleted "+described(d))
	}
	return errors.Join(errs...)
}

// deletable reads names that say their registry: a bare one may be meant for this machine.
func deletable(names []string) ([]registry.Ref, error) {
	var refs []registry.Ref
	for _, name := range names {
		ref, err := parseInRegistry(name)
		if err != nil {
			return nil, err
		}
		if ref.Bare {
			return nil, usagef(
				"mtool rm "+name+" deletes it on this machine; in Docker Hub it is "+ref.Name(),
				"%q names no registry to delete it in", name)
		}
		refs = append(refs, ref)
	}
	return refs, nil
}

func described(d app.Deletion) string {
	switch {
	case d.Ref.Digest == (v1.Hash{}):
		return fmt.Sprintf("%s (%s, which stays)", d.Ref.Name(), d.Digest)
	case len(d.Tags) == 0:
		return d.Ref.Name()
	}
	return fmt.Sprintf("%s, and its tags %s", d.Ref.Name(), strings.Join(d.Tags, ", "))
}

// confirmed asks where somebody can answer.
func (a *application) confirmed(ctx context.Context, plan []app.Deletion, yes bool) (bool, error) {
	terminal, ok := a.In.(*os.File)
	if yes || !ok || !term.IsTerminal(int(terminal.Fd())) {
		return true, nil
	}
	for _, d := range plan {
		print.Println(a.Err, "delete "+described(d))
	}
	defer a.board.Rest()()
	print.Text(a.Err, "Delete? [y/N] ")
	answer, err := readLine(ctx, terminal)
	if err != nil {
		return false, err
	}
	if answer = strings.ToLower(strings.TrimSpace(answer)); answer == "y" || answer == "yes" {
		return true, nil
	}
	print.Println(a.Err, "nothing is deleted")
	return false, nil
}

// readLine reads an answer, or ends with ctx.
func readLine(ctx context.Context, r io.Reader) (string, error) {
	type result struct {
		line string
		err  error
	}
	got := make(chan result, 1)
	go func() {
		line, err := bufio.NewReader(r).ReadString('\n')
		if errors.Is(err, io.EOF) {
			err = nil // no answer
		}
		got <- result{line, err}
	}()
	select {
	case x := <-got:
		return x.line, x.err
	case <-ctx.Done():
		return "", context.Cause(ctx)
	}
}
