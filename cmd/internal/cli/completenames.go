package cli

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"mtool/cmd/internal/app"
	"mtool/inspect/platform"
	"mtool/registry"
	"mtool/registry/remote"
)

// patience is how long a registry may take before the shell gets no words.
const patience = 2 * time.Second

// completeNames offers the drafts, the images of the store, and what is in a registry on this machine once its address
// is typed. Files too, since archives and layouts are names.
func (a *application) completeNames(
	cmd *cobra.Command, _ []string, toComplete string,
) ([]string, cobra.ShellCompDirective) {
	env, err := a.quietEnv()
	if err != nil {
		return nil, cobra.ShellCompDirectiveDefault
	}
	rows, _ := env.Ls(cmd.Context()) // what can be listed
	host, _, ok := strings.Cut(toComplete, "/")
	if ok && remote.IsLoopback(host) {
		if words, directive := inRegistry(cmd.Context(), env, host, toComplete); len(words) > 0 {
			return words, directive
		}
	}
	transport := ""
	for _, prefix := range []string{"store:", "draft:"} {
		if strings.HasPrefix(toComplete, prefix) {
			transport = prefix
		}
	}
	var names []string
	for _, row := range rows {
		if place := cmp.Or(strings.TrimSuffix(transport, ":"), row.Kind); (place == "draft") == (row.Kind == "draft") {
			names = append(names, transport+row.Name)
		}
	}
	slices.Sort(names)
	return slices.Compact(names), cobra.ShellCompDirectiveDefault
}

// inRegistry offers the repositories of a registry and, behind the colon of one of them, its tags.
func inRegistry(
	ctx context.Context, env *app.Env, host, toComplete string,
) ([]string, cobra.ShellCompDirective) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	if repository, _, ok := strings.Cut(strings.TrimPrefix(toComplete, host+"/"), ":"); ok {
		ref, err := registry.ParseRef(host + "/" + repository)
		if err != nil {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		tags, _ := env.Tags(ctx, ref)
		for i, tag := range tags {
			tags[i] = host + "/" + repository + ":" + tag
		}
		return tags, cobra.ShellCompDirectiveNoFileComp
	}
	names, _ := env.Repositories(ctx, host)
	return names, cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveNoSpace
}

// completeEntries offers the platforms and digests of the list that the first argument names, but for those that are
// given already.
func (a *application) completeEntries(
	cmd *cobra.Command, args []string, _ string,
) ([]string, cobra.ShellCompDirective) {
	env, err := a.quietEnv()
	if err != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	list, err := parseListName(args[0])
	if err != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	ctx, cancel := context.WithTimeout(cmd.Context(), patience)
	defer cancel()
	entries, _ := env.Entries(ctx, list, cmd.Flags().Changed("published"))
	var platforms, digests []string
	for _, e := range entries {
		p := cmp.Or(platform.Format(e.Platform()), "no platform")
		digest := e.Digest().String()
		if slices.Contains(args, p) || slices.Contains(args, digest) {
			continue
		}
		if e.Platform().Architecture != "" && !slices.Contains(platforms, p) {
			platforms = append(platforms, p)
		}
		digests = append(digests, digest+"\t"+p)
	}
	return append(platforms, digests...), cobra.ShellCompDirectiveNoFileComp
}

// quietEnv returns an environment without warnings, which would end up between the words.
func (a *application) quietEnv() (*app.Env, error) {
	a.quiet = true
	return a.env()
}
