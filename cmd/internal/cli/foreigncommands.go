package cli

import (
	"slices"
	"strings"

	"github.com/spf13/cobra"
)

// elsewhere is a row about commands of other tools, separated by spaces, and what to write here.
type elsewhere struct{ names, answer string }

// foreignCommands are those of docker, podman, crane, regctl, skopeo, oras and manifest-tool. A test looks that mtool
// has none of these names, and has what the answer names.
func foreignCommands() []elsewhere {
	return []elsewhere{
		{"ps image container", "mtool ls"},
		{"pull fetch", "mtool copy IMAGE store:NAME"},
		{"tag", "mtool copy NAME NEWNAME, or mtool rename NAME NEWNAME for a draft"},
		{"run exec start attach", "mtool inspect --run 'COMMAND' IMAGE runs a command in every entry"},
		{"rmi untag del", "mtool rm NAME deletes drafts and images of the local store"},
		{"buildx buildah", "mtool build"},
		{"commit", "mtool build; mtool set NAME changes the config of an image"},
		{"digest config manifest-inspect raw", "mtool inspect -o json IMAGE; mtool inspect --format TEMPLATE IMAGE"},
		{"history layers", "mtool inspect -o tree IMAGE"},
		{"append index from-args push-to", "mtool create LIST IMAGE…"},
		{"add", "mtool amend LIST IMAGE…"},
		{"mutate mod edit", "mtool set NAME, or mtool annotate LIST"},
		{"from-spec", "mtool create --spec FILE"},
		{"flatten convert", "mtool create LIST IMAGE --type oci --convert"},
		{"validate verify check scan lint", "mtool inspect --deep IMAGE"},
		{"cp sync mirror", "mtool copy"},
		{"export", "mtool save"},
		{"import", "mtool load"},
		{"catalog search", "mtool ls HOST"},
		{"list-tags repo repository", "mtool tags NAME"},
		{"sign", "mtool signs nothing; mtool inspect --signed-by FILE checks signatures"},
		{"discover referrers", "mtool inspect --signatures IMAGE"},
		{"info system", "mtool du, mtool workers or mtool version"},
		{"binfmt qemu", "mtool emulators"},
		{"daemon registry", "mtool serve"},
		{"man", "mtool help"},
	}
}

// foreignTopics are words that people ask help about, and the topic or command that has it.
func foreignTopics() []elsewhere {
	return []elsewhere{
		{"docker podman buildah buildx crane regctl skopeo oras manifest-tool kaniko", "migrating"},
		{"kubernetes k8s kubectl helm webhook gate", "deploy"},
		{"github gitlab actions pipeline workflow", "ci"},
		{"errors error exit status code codes", "exit-codes"},
		{"tls certificates proxy proxies mirrors mirror config settings authentication", "registries"},
		{"platforms platform architectures arch", "nodes"},
		{"transports references refs sources", "names"},
		{"template format output", "json"},
		{"log logging trace tracing verbose telemetry", "debug"},
		{"emulation binfmt qemu", "emulators"},
		{"environment variables", "flags"},
	}
}

// answerTo returns the answer in the row of a name, "" where there is none.
func answerTo(rows []elsewhere, name string) string {
	for _, row := range rows {
		if slices.Contains(strings.Fields(row.names), strings.ToLower(name)) {
			return row.answer
		}
	}
	return ""
}

// suggestion returns the name of the command or topic that is nearest to name, and "" where none is near. It never
// returns a command that deletes.
func suggestion(cmd *cobra.Command, name string) string {
	deleting := []string{"rm", "remove", "delete", "prune", "logout", "uninstall"}
	var names []string
	for _, c := range cmd.Commands() {
		if !c.Hidden && !slices.Contains(deleting, c.Name()) {
			names = append(names, c.Name())
		}
	}
	return nearest(names, strings.ToLower(name))
}

// nearest returns the name that was likely meant: one that begins so, has one other letter, or the same in another
// order; of longer ones two letters may differ. So pull is not taken for push, nor ps for rm.
func nearest(names []string, typed string) string {
	for _, distance := range []int{1, 2} {
		all := &cobra.Command{SuggestionsMinimumDistance: distance}
		for _, name := range names {
			all.AddCommand(&cobra.Command{Use: name, Run: func(*cobra.Command, []string) {}})
		}
		for _, near := range all.SuggestionsFor(typed) {
			if distance == 1 && len(typed) > 2 || strings.HasPrefix(near, typed) || len(typed) > 5 ||
				letters(near) == letters(typed) {
				return near
			}
		}
	}
	return ""
}

// letters returns those of a word in the order of the alphabet.
func letters(word string) string {
	all := []rune(word)
	slices.Sort(all)
	return string(all)
}
