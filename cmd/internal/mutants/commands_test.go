package mutants

// ofCommands returns the mutants of output and of empty arguments.
func ofCommands() []mutant {
	return []mutant{
		{
			"cmd/internal/print/door.go", "TestHostile", `case r != '\t' && steers(r), l.isCommand(r)`,
			`case false && steers(r), l.isCommand(r)`,
		},
		{
			"cmd/internal/print/door.go", "TestHostile", `command := r == ':' && l.colon || r == '[' && l.hashes >= 2`,
			`command := r == '[' && l.hashes >= 2`,
		},
		{
			"cmd/internal/print/door.go", "TestHostile", `command := r == ':' && l.colon ||`,
			`command := r == ':' && l.colon && false ||`,
		},
		{"cmd/internal/print/values.go", "TestHostile", `if strings.IndexFunc(s, `, `if true || strings.IndexFunc(s, `},
		{"cmd/internal/print/markdown.go", "TestMarkdown", `.Replace(Line(s))`, `.Replace(s)`},
		{
			"cmd/internal/print/template.go", "TestHostile", `text := Line(fmt.Sprint(pointedTo(value)))`,
			`text := fmt.Sprint(pointedTo(value))`,
		},
		{"cmd/internal/print/template.go", "TestHostile", `if len(n.Pipe.Decl) == 0 && !constant(n.Pipe) {`, `if false {`},
		{"cmd/internal/print/github.go", "TestGitHub", `"%", "%25", "\r", "%0D", "\n", "%0A"`, `"%", "%25"`},
		{"cmd/internal/print/door.go", "TestOut", `len(was) > 1 && len(was) < longest && (`, `len(was) > 1 && (`},

		{"cmd/internal/cli/stated.go", "TestEmptyFlags", `if v.Type() == "stringSlice" {`, `if false {`},
		{"cmd/internal/cli/stated.go", "TestEmptyArguments", `cmd.Args = statedArgs(cmd.Args)`, `_ = statedArgs`},
		{"cmd/internal/cli/stated.go", "TestEmptyFlags", `if strings.TrimSpace(text) == "" {`, `if text == "" {`},
	}
}
