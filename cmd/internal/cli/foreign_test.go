package cli

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// flagOf returns a flag of cmd, or a global one, by its long or short name.
func flagOf(cmd *cobra.Command, name string) *pflag.Flag {
	for _, flags := range []*pflag.FlagSet{cmd.Flags(), cmd.Root().PersistentFlags(), cmd.PersistentFlags()} {
		if f := flags.Lookup(name); f != nil {
			return f
		}
		if len(name) == 1 {
			if f := flags.ShorthandLookup(name); f != nil {
				return f
			}
		}
	}
	return nil
}

var (
	flagWord    = regexp.MustCompile(`(?:^|[ (])--?([a-zA-Z][a-z-]*)`)
	commandWord = regexp.MustCompile(`\bmtool ([a-z-]+)(?: ([a-z-]+))?([^;,]*)`)
	instruction = regexp.MustCompile(`(?:RUN|COPY) --\S+`)
)

// wrongIn returns the commands and flags in an answer that do not exist. Flags without a command belong to cmd.
func wrongIn(cmd *cobra.Command, answer string) (wrong []string) {
	root := cmd.Root()
	answer = instruction.ReplaceAllString(answer, "")
	for _, m := range commandWord.FindAllStringSubmatch(answer, -1) {
		if slices.Contains([]string{"signs", "does", "builds"}, m[1]) {
			continue // a sentence about mtool
		}
		at, _, err := root.Find(strings.Fields(m[1] + " " + m[2]))
		if err != nil || at == root {
			wrong = append(wrong, "mtool "+m[1])
			continue
		}
		for _, f := range flagWord.FindAllStringSubmatch(m[0], -1) {
			if flagOf(at, f[1]) == nil {
				wrong = append(wrong, at.CommandPath()+" --"+f[1])
			}
		}
		answer = strings.Replace(answer, m[0], "", 1)
	}
	for _, f := range flagWord.FindAllStringSubmatch(answer, -1) {
		if f[1] != "vv" && flagOf(cmd, f[1]) == nil {
			wrong = append(wrong, cmd.CommandPath()+" --"+f[1])
		}
	}
	return wrong
}

func TestForeignFlags(t *testing.T) {
	root := newApp(Stdio{}).root()
	for _, row := range foreignFlags() {
		// Stand-ins have the flags of the tool that they stand in for.
		cmds := slices.DeleteFunc(slices.Clone(root.Commands()), func(c *cobra.Command) bool {
			return c.HasSubCommands() && slices.Contains([]string{"manifest", "imagetools", "podman-manifest"}, c.Name())
		})
		if row.commands != "" {
			cmds = nil
			for name := range strings.SplitSeq(row.commands, ",") {
				cmd, _, err := root.Find(strings.Fields(name))
				if err != nil {
					t.Errorf("%q: %v", name, err)
					continue
				}
				cmds = append(cmds, cmd)
			}
		}
		for _, cmd := range cmds {
			for name := range strings.FieldsSeq(row.flags) {
				if flagOf(cmd, name) != nil && (row.commands != "" || slices.Contains(cmds, cmd.Root())) {
					t.Errorf("%s has --%s, so the row %q is not needed", cmd.CommandPath(), name, row.answer)
				}
				if row.commands != "" && foreignAnswer(cmd, name) != row.answer {
					t.Errorf("%s --%s is answered by an earlier row: %q", cmd.CommandPath(), name, foreignAnswer(cmd, name))
				}
			}
			for _, wrong := range wrongIn(cmd, row.answer) {
				t.Errorf("%q: there is no %s", row.answer, wrong)
			}
			if row.commands == "" {
				break // flags of every command
			}
		}
	}
	// The test can fail.
	push, _, _ := root.Find([]string{"push"})
	if got := wrongIn(push, "mtool nosuch, or mtool tags NAME --purge; --arch ARCH and --purge"); len(got) != 3 {
		t.Errorf("for a wrong answer: %q", got)
	}
}

func TestForeignCommands(t *testing.T) {
	root := newApp(Stdio{}).root()
	root.InitDefaultHelpCmd()
	named := func(name string) bool { return isNamed(root, name) }
	for _, row := range foreignCommands() {
		for name := range strings.FieldsSeq(row.names) {
			if named(name) {
				t.Errorf("%s is a command of mtool", name)
			}
		}
		for _, wrong := range wrongIn(root, row.answer) {
			t.Errorf("%q: there is no %s", row.answer, wrong)
		}
	}
	for _, row := range foreignTopics() {
		for name := range strings.FieldsSeq(row.names) {
			if named(name) {
				t.Errorf("%s is a command or topic of mtool", name)
			}
		}
		if !named(row.answer) {
			t.Errorf("there is no command or topic %s", row.answer)
		}
	}
}

func isNamed(root *cobra.Command, name string) bool {
	return slices.ContainsFunc(root.Commands(), func(c *cobra.Command) bool { return c.Name() == name || c.HasAlias(name) })
}

func TestNearest(t *testing.T) {
	root := newApp(Stdio{}).root()
	for word, want := range map[string]string{
		"biuld": "build", "pussh": "push", "psuh": "push", "creat": "create", "inspcte": "inspect", "amned": "amend",
		"exit-code": "exit-codes", "NAMES": "names", "registry-settings": "",
		"pull": "", "ps": "", "remov": "", "prun": "", "delet": "", "logot": "", "quit": "", "stop": "",
	} {
		if got := suggestion(root, word); got != want {
			t.Errorf("%q: got suggestion %q, want %q", word, got, want)
		}
	}
	create, _, _ := root.Find([]string{"create"})
	for word, want := range map[string]string{
		"pull": "", "platfomr": "did you mean --platform?", "requir": "did you mean --require?",
		"plat": "did you mean --platform?",
	} {
		if got := meantFlag(create, word); got != want {
			t.Errorf("--%s: got %q, want %q", word, got, want)
		}
	}
}
