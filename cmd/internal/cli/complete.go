package cli

import (
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// completion offers the words that may stand where the cursor is.
type completion = cobra.CompletionFunc

// complete teaches the shell what may follow, in every command below cmd and in its flags. The words that usage texts
// use for values (NAME, FILE, table|json) decide what is offered.
func (a *application) complete(cmd *cobra.Command) {
	if cmd.ValidArgsFunction == nil && cmd.Runnable() && !cmd.HasSubCommands() {
		cmd.ValidArgsFunction = a.completeArguments(argumentsIn(cmd.Use))
	}
	cmd.LocalFlags().VisitAll(func(f *pflag.Flag) { a.completeFlag(cmd, f) })
	for _, c := range cmd.Commands() {
		a.complete(c)
	}
}

// completeFlag offers values of a flag, and makes its usage the one line that the shell shows.
func (a *application) completeFlag(cmd *cobra.Command, f *pflag.Flag) {
	value, usage := pflag.UnquoteUsage(f)
	f.Usage, _, _ = strings.Cut(usage, "\n")
	if f.NoOptDefVal != "" { // it has no value
		return
	}
	offer := a.completionOf(value)
	if f.Value.Type() == "stringSlice" {
		offer = afterCommas(offer)
	}
	// It fails for a flag that has a completion already: one of several commands.
	_ = cmd.RegisterFlagCompletionFunc(f.Name, offer)
}

// argumentsIn returns the words for the arguments in a usage line. What follows the last one, where that may be
// repeated, is the last one again: "remove LIST ENTRY…".
func argumentsIn(use string) []string {
	var words []string
	for _, word := range strings.Fields(use)[1:] {
		switch {
		case word == "[OPTIONS]", strings.HasPrefix(word, "[--"):
		case word == "|", strings.HasPrefix(word, "-"):
			return words
		default:
			words = append(words, strings.Trim(word, "[]"))
		}
	}
	return words
}

func (a *application) completeArguments(words []string) completion {
	return func(cmd *cobra.Command, args []string, toComplete string) ([]string, cobra.ShellCompDirective) {
		if len(words) == 0 {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		at := min(len(args), len(words)-1)
		word := strings.Trim(strings.TrimRight(words[at], "….]"), "[]")
		if len(args) >= len(words) && word == words[at] { // it is not repeated
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		return a.completionOf(word)(cmd, args, toComplete)
	}
}

// completionOf returns what is offered for a value that usage texts call so.
func (a *application) completionOf(value string) completion {
	offer := a.anyOf(value)
	return func(cmd *cobra.Command, args []string, toComplete string) ([]string, cobra.ShellCompDirective) {
		all, directive := offer(cmd, args, toComplete)
		var words []string
		for _, word := range all {
			if strings.HasPrefix(word, toComplete) {
				words = append(words, word)
			}
		}
		return words, directive
	}
}

// anyOf is completionOf for whatever is typed already.
func (a *application) anyOf(value string) completion {
	if words := wordsOf(value); words != nil {
		return cobra.FixedCompletions(words, cobra.ShellCompDirectiveNoFileComp)
	}
	switch value {
	case "NAME", "IMAGE", "REF", "LIST", "A", "B", "SRC", "DST", "DEST", "NEW", "BASE", "REPO", "SOURCE",
		"MANIFEST_LIST", "MANIFEST", "HOST/NAME:TAG|HOST/NAME@DIGEST":
		return a.completeNames
	case "ENTRY":
		return a.completeEntries
	case "FILE", "PATH", "KIND=PATH", "NAME=DIR", "CACHE", "ID[=SOCKET]", "HOST=CERT:KEY":
		return cobra.FixedCompletions(nil, cobra.ShellCompDirectiveDefault)
	case "DIR", "CONTEXT":
		return cobra.FixedCompletions(nil, cobra.ShellCompDirectiveFilterDirs)
	}
	return cobra.NoFileCompletions
}

// wordsOf returns the words that a value may be; nil: any.
func wordsOf(value string) []string {
	switch value {
	case "PLATFORM":
		return []string{
			"linux/386", "linux/amd64", "linux/arm/v6", "linux/arm/v7", "linux/arm64", "linux/loong64", "linux/mips64le",
			"linux/ppc64le", "linux/riscv64", "linux/s390x", "linux/sw64", "windows/amd64", "windows/arm64",
		}
	case "ARCH":
		return []string{
			"386", "amd64", "arm", "arm/v6", "arm/v7", "arm64", "loong64", "mips64le", "ppc64le", "riscv64",
			"s390x", "sw64",
		}
	case "OS":
		return []string{"linux", "windows"}
	case "VARIANT":
		return []string{"v2", "v3", "v4", "v5", "v6", "v7", "v8"}
	case "ENTITLEMENT":
		return []string{"network.host", "security.insecure"}
	}
	if strings.Contains(value, "|") && value == strings.ToLower(value) {
		return strings.Split(value, "|")
	}
	return nil
}

// afterCommas offers for the last item of a comma list what offer has, but for the items before it.
func afterCommas(offer completion) completion {
	return func(cmd *cobra.Command, args []string, toComplete string) ([]string, cobra.ShellCompDirective) {
		cut := strings.LastIndexByte(toComplete, ',') + 1
		words, directive := offer(cmd, args, toComplete[cut:])
		given := strings.Split(toComplete[:cut], ",")
		var whole []string
		for _, word := range words {
			if !slices.Contains(given, word) {
				whole = append(whole, toComplete[:cut]+word)
			}
		}
		return whole, directive | cobra.ShellCompDirectiveNoSpace
	}
}
