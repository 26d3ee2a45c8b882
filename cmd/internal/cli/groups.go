package cli

import (
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"mtool/cmd/internal/print/manual"
)

// group is a heading of help and what stands under it.
type group struct {
	title string
	names string // separated by spaces
}

// groups are those of the main help, in the order of the work.
func groups() []group {
	return []group{
		{"Build, merge, publish, verify", "build bake create push inspect"},
		{"Lists", "amend annotate remove set rebase check-base rebuild rename diff resolve"},
		{"Images", "copy load save exists ls tags rm delete du prune serve"},
		{"This machine", "workers emulators login logout auth completion version help"},
		{"In place of other tools", "manifest imagetools podman-manifest"},
	}
}

const topicsTitle = "Topics (mtool help TOPIC)"

// commandGroups are the commands below cmd; those of mtool itself in groups, and then the topics.
func commandGroups(cmd *cobra.Command) []manual.Group {
	if cmd.HasParent() {
		return []manual.Group{{Title: "Commands", Rows: commandRows(cmd.Commands(), (*cobra.Command).IsAvailableCommand)}}
	}
	var all []manual.Group
	for _, g := range groups() {
		var members []*cobra.Command
		for name := range strings.FieldsSeq(g.names) {
			if n := slices.IndexFunc(cmd.Commands(), func(c *cobra.Command) bool { return c.Name() == name }); n >= 0 {
				members = append(members, cmd.Commands()[n])
			}
		}
		all = append(all, manual.Group{Title: g.title, Rows: commandRows(members, nil)})
	}
	return append(all,
		manual.Group{Title: topicsTitle, Rows: commandRows(cmd.Commands(), (*cobra.Command).IsAdditionalHelpTopicCommand)})
}

func commandRows(commands []*cobra.Command, takes func(*cobra.Command) bool) []manual.Row {
	var rows []manual.Row
	for _, c := range commands {
		if takes == nil || takes(c) {
			rows = append(rows, manual.Row{Name: c.Name(), Word: c.Name(), Text: c.Short})
		}
	}
	return rows
}

// flagHeadings are the groups of flags. A flag of one name means one thing in every command, and so has one group, but
// for env: of an image, or of Compose. Where a help is too long, the last groups are shortened first.
func flagHeadings(flags *pflag.FlagSet) []group {
	config := "label unset-label unset-env entrypoint cmd user workdir stop-signal port unset-port volume unset-volume created"
	if flags.Lookup("unset-env") != nil {
		config += " env"
	}
	return []group{
		{"Images", "arch platform optional tag amend old new base to from node as template spec from-files any wait ignore-missing append prefer-index all index"},
		{"Dockerfile and context", "context file target build-arg build-context syntax set var"},
		{"Config of images", config},
		{
			"Publishing",
			"push load published semver push-by-digest no-clobber force refresh referrers purge rm remove-signatures " +
				"dry-run print confirm keep-child-tags",
		},
		{"Checks", "require exact deep strict strict-optional same no-verify run run-args run-timeout preflight check reproduce reuse"},
		{"Output", "output format raw no-trunc metadata-file digest-file digestfile iidfile result github-output quiet verbose progress log-format trace lang apparmor-profile"},
		{"Entries", "os variant os-version os-feature os-features features annotation unset child artifact-type subject type sort " +
			"on-duplicate attestations drop-annotations promote-annotations promote-labels convert fix-config no-flatten"},
		{"Artifacts", "artifact artifact-config artifact-config-type artifact-layer-type artifact-exclude-titles artifact-subject"},
		{"Compression", "compression compression-format compression-level force-compression add-compression"},
		{"What --deep checks", "entrypoint-only allow-foreign abi page-size explain no-facts"},
		{"Files of deployments", "files cluster env env-file image-field allow-unchecked"},
		{"Signatures and attestations", "provenance sbom signatures signed-by signed"},
		{"RUN steps", "network secret ssh add-host allow ulimit shm-size cgroup-parent no-process-sandbox"},
		{"Caches and bases", "pull no-cache no-cache-filter cache-from cache-to keep-storage source-date-epoch skip-devices"},
		{"Registries", "plain-http tls-skip-verify tls-verify ca-file client-cert cert-dir mirror authfile creds"},
		{"Time limits and retries", "timeout idle-timeout retry retry-wait min-rate concurrency"},
		{"Workers", "worker native-only max-parallelism worker-ca worker-cert worker-key worker-server-name"},
	}
}

// otherFlags is the heading of those that have no other.
const otherFlags = "Other flags"

// flagGroups are the flags of a command under their headings.
func flagGroups(flags *pflag.FlagSet) []manual.Group {
	var all []manual.Group
	left := map[string]*pflag.Flag{}
	flags.VisitAll(func(f *pflag.Flag) {
		if !f.Hidden && f.Name != "help" {
			left[f.Name] = f
		}
	})
	take := func(title string, names []string) {
		g := manual.Group{Title: title}
		for _, name := range names {
			if f := left[name]; f != nil {
				g.Rows = append(g.Rows, flagRow(f))
				delete(left, name)
			}
		}
		if len(g.Rows) > 0 {
			all = append(all, g)
		}
	}
	few := len(left) <= 6
	if !few {
		for _, g := range flagHeadings(flags) {
			take(g.title, strings.Fields(g.names))
		}
	}
	var rest []string
	for name := range left {
		rest = append(rest, name)
	}
	slices.Sort(rest)
	if len(all) == 0 {
		take("Flags", rest)
	} else {
		take(otherFlags, rest)
	}
	return all
}

// flagRow is one flag. Its usage is a line in short and, after a line break, the rest.
func flagRow(f *pflag.Flag) manual.Row {
	value, usage := pflag.UnquoteUsage(f)
	if f.Value.Type() == "count" {
		value = "" // -vv is written without one
	}
	name := "    --" + f.Name
	if f.Shorthand != "" {
		name = "-" + f.Shorthand + ", --" + f.Name
	}
	if value != "" {
		name += " " + value
	}
	text, more, _ := strings.Cut(usage, "\n")
	if text = strings.TrimSuffix(text, ": "+value); strings.Contains(value, "|") && len(value) >= 30 {
		name, text = strings.TrimSuffix(name, value)+"FORMAT", text+": "+strings.ReplaceAll(value, "|", ", ")
	}
	if again := repeatable(f.Value.Type()); again != "" {
		more = strings.TrimPrefix(more+"; "+again, "; ")
	}
	if !slices.Contains([]string{"", "[]", "false", "0", "0s"}, f.DefValue) && f.Value.Type() != "bool" {
		text += " (default " + f.DefValue + ")"
	}
	return manual.Row{Name: name, Word: "--" + f.Name, Text: text, More: more}
}

// repeatable reports whether a flag may be given several times.
func repeatable(kind string) string {
	switch kind {
	case "stringSlice":
		return "repeatable, or a comma list"
	case "stringArray", listValue:
		return "repeatable"
	}
	return ""
}

// listValue is the type of flags of this package that may be given several times.
const listValue = "list"
