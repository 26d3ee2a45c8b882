package cli

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"mtool/cmd/internal/print"
	"mtool/cmd/internal/print/manual"
)

// everyCommand returns all commands, including cobra's own.
func everyCommand(t *testing.T) (*application, []*cobra.Command) {
	t.Helper()
	a := newApp(Stdio{In: strings.NewReader(""), Out: &strings.Builder{}, Err: &strings.Builder{}})
	root := a.root()
	root.InitDefaultHelpCmd()
	root.InitDefaultCompletionCmd()
	return a, documented(root)
}

// The help of every command has at most helpRows rows. No line of it or of a topic is wider than 80 columns.
func TestHelpFits(t *testing.T) {
	t.Parallel()
	a, commands := everyCommand(t)
	if len(commands) < 40 {
		t.Errorf("only %d commands", len(commands))
	}
	for _, cmd := range commands {
		for _, wrong := range misfits(a.page(cmd).Screen(80, helpRows), helpRows) {
			t.Errorf("%s: %s", cmd.CommandPath(), wrong)
		}
		for _, wrong := range misfits(a.page(cmd).Screen(80, 0), 1000) {
			t.Errorf("help --all %s: %s", cmd.CommandPath(), wrong)
		}
	}
	for _, topic := range a.topics() {
		lines := manual.Wrap(topic.text(), 80)
		if topic.file {
			lines = strings.Split(topic.text(), "\n")
		}
		if asIs := slices.Contains([]string{"spec-schema", "json-schema", "admission"}, topic.name) ||
			strings.HasPrefix(topic.name, "ci-"); asIs {
			continue // files for other programs
		}
		for _, wrong := range misfits(lines, 1000) {
			t.Errorf("%s: %s", topic.name, wrong)
		}
	}
	for liar, want := range map[string]int{
		strings.Repeat("x", 81): 1, strings.Repeat("x\n", 49): 1,
		strings.Repeat("中", 40): 0, strings.Repeat("中", 41): 1,
	} {
		if got := misfits(strings.Split(liar, "\n"), 48); len(got) != want {
			t.Errorf("%.20q: got %q, want %d", liar, got, want)
		}
	}
}

func misfits(lines []string, rows int) (wrong []string) {
	if len(lines) > rows {
		wrong = append(wrong, fmt.Sprintf("%d rows", len(lines)))
	}
	for _, line := range lines {
		if n := print.Width(line); n > 80 {
			wrong = append(wrong, fmt.Sprintf("%d columns: %s", n, line))
		}
	}
	return wrong
}

// valueWords are the placeholders for flag values. One word means one thing.
const valueWords = `ADDR ARCH ARGS BYTES CACHE CGROUP COMMAND COUNT DIR DURATION ENTITLEMENT FEATURE FILE GLOB HOST IMAGE IP KEY LEVEL LANGUAGE NAME OS
	PATH PATTERN PLATFORM PORT REF REPO RUNTIME SECONDS SIZE STAGE TEMPLATE TYPE VALUE VARIANT VERSION CERT MIRROR KIND ABI SOFT HARD ID SOCKET BASE USER UID GID SIGNAL PROTOCOL DATE PASSWORD TARGET`

// A flag's value has a placeholder from valueWords, or lists the possible values. Every flag has a group.
func TestFlagWords(t *testing.T) {
	t.Parallel()
	a, commands := everyCommand(t)
	words := map[string]map[string]bool{}
	check := func(cmd string, f *pflag.Flag) {
		value, usage := pflag.UnquoteUsage(f)
		if wrong := wrongValue(value, f.Value.Type()); wrong != "" {
			t.Errorf("%s --%s: %s", cmd, f.Name, wrong)
		}
		if strings.Contains(usage, "repeatable") {
			t.Errorf("%s --%s: the help page marks repeatable flags itself", cmd, f.Name)
		}
		if words[f.Name] == nil {
			words[f.Name] = map[string]bool{}
		}
		words[f.Name][value] = true
	}
	a.flags.VisitAll(func(f *pflag.Flag) { check("mtool", f) })
	for _, cmd := range commands {
		for _, g := range flagGroups(cmd.LocalNonPersistentFlags()) {
			for _, r := range g.Rows {
				check(cmd.CommandPath(), cmd.Flags().Lookup(strings.TrimPrefix(r.Word, "--")))
				if g.Title == otherFlags {
					t.Errorf("%s %s has no group", cmd.CommandPath(), r.Word)
				}
			}
		}
	}
	// A flag has the same value in all commands, unless it does something else there.
	differ := strings.Fields("amend attestations env file format output provenance push-by-digest progress template verbose")
	for _, name := range slices.Sorted(maps.Keys(words)) {
		if len(words[name]) > 1 && !slices.Contains(differ, name) {
			t.Errorf("--%s takes %v", name, slices.Sorted(maps.Keys(words[name])))
		}
	}
	for liar, want := range map[string]bool{
		"TIME": true, "int": true, "string": true, "stringArray": true,
		"DURATION": false, "a|b": false, "HOST[:PORT]": false,
	} {
		if got := wrongValue(liar, "string") != ""; got != want {
			t.Errorf("%s is wrong: %v, want %v", liar, got, want)
		}
	}
}

func wrongValue(value, kind string) string {
	if kind == "bool" || regexp.MustCompile(`^[a-z0-9=-]+(\|[a-z0-9=-]+)+$`).MatchString(value) {
		return ""
	}
	if kind == "count" {
		return ""
	}
	parts := regexp.MustCompile(`[A-Za-z]+`).FindAllString(value, -1)
	for _, part := range parts {
		if part != strings.ToLower(part) && !slices.Contains(strings.Fields(valueWords), part) ||
			value == part && part == strings.ToLower(part) {
			return fmt.Sprintf("takes %q, which is not in valueWords", value)
		}
	}
	if len(parts) == 0 {
		return "has no placeholder for its value"
	}
	return ""
}

// The packaged man pages and the reference have every command; each man page has all flags of its command.
func TestDocs(t *testing.T) {
	t.Parallel()
	a, commands := everyCommand(t)
	docs, err := a.docs(commands[0])
	if err != nil {
		t.Fatal(err)
	}
	bodies := map[string]string{}
	for _, d := range docs {
		bodies[d.name] = d.body
	}
	for _, cmd := range commands {
		page := bodies["man/man1/"+strings.ReplaceAll(cmd.CommandPath(), " ", "-")+".1"]
		cmd.LocalNonPersistentFlags().VisitAll(func(f *pflag.Flag) {
			if !f.Hidden && f.Name != "help" && !strings.Contains(page, strings.ReplaceAll("--"+f.Name, "-", `\-`)) {
				t.Errorf("the page of %s has no --%s", cmd.CommandPath(), f.Name)
			}
		})
		if !strings.Contains(bodies["reference.md"], "\n## "+cmd.CommandPath()+"\n") {
			t.Errorf("the reference has no %s", cmd.CommandPath())
		}
	}
}
