package mutants

// ofInspect returns the mutants of lists, binaries, package databases, exemptions and deployments.
func ofInspect() []mutant {
	return []mutant{
		{"inspect/rows.go", "TestRowsThatClientsTake", `case n.leads(running[:passed], running[passed:]):`, `case false:`},
		{
			"inspect/rows.go", "TestRowsThatClientsTake", `p.Equals(*q) && CompressionOf(n.desc) == CompressionOf(image.desc)`,
			`p.Equals(*q)`,
		},
		{
			"inspect/rows.go", "TestRowsThatClientsTake",
			`return !slices.ContainsFunc(before, isDefault) && slices.ContainsFunc(behind, isDefault)`, `return false`,
		},
		{"inspect/claims.go", "TestCheck", `if !platform.Agrees(claim, i.Config) || oddRow`, `if oddRow`},
		{"inspect/shared.go", "TestCheck", `		if len(g.images) < 2 {
			continue
		}
		var digests`, `		if len(g.images) < 3 {
			continue
		}
		var digests`},
		{"inspect/shared.go", "TestCheck", `if len(g.distinct(bySlot)) < 2 || len(g.distinct(byConfig)) < 2 {`, `if true {`},
		{
			"inspect/decode.go", "TestReadRefusesRoots", `case mediaType.IsIndex() && (m.Config != nil || m.Layers != nil):`,
			`case false:`,
		},
		{
			"inspect/read.go", "TestReadStopsAtManyEntries", `if r.entries += len(level); r.entries > maxEntries {`,
			`if r.entries += len(level); r.entries > 100*maxEntries {`,
		},
		{"inspect/tree.go", "TestReadDepth", `len(n.via) >= maxDepth:`, `len(n.via) >= 2*maxDepth:`},
		{"inspect/tree.go", "TestReadCycle", `case looped:`, `case looped && n == nil:`},

		{
			"inspect/binary/elf.go", "TestExecutedFilesAreJudged", `if !h.executed() || !same && h.checksClass() {`,
			`if !h.executed() || !same {`,
		},
		{"inspect/binary/elf.go", "TestMalformedELF", `if problem != nil && !h.executed() {`, `if problem != nil {`},
		{"inspect/binary/elf.go", "TestMalformedELF", `case h.phnum > 0 && h.phentsize != want:`, `case false:`},
		{"inspect/binary/segments.go", "TestMalformedELF", `if p.size < 2 || p.size > pathMax {`, `if p.size < 2 {`},
		{"inspect/binary/segments.go", "TestMalformedELF", `if b[len(b)-1] != 0 {`, `if false {`},
		{
			"inspect/binary/runs.go", "inspect/binary.TestRuns", `if verdict != Wrong && !sameSystem(f.OS, p.OS) {`,
			`if false {`,
		},

		{"inspect/rpmdb/pages.go", "TestSharedCells", `if size > p.remaining {`, `if false {`},
		{"inspect/rpmdb/ndb.go", "TestSharedBytes", `if !ok || !more || size > most {`, `if !ok || !more {`},
		{
			"inspect/rpmdb/pages.go", "TestBrokenDatabases", `if number == 0 || number > p.count || p.seen[number] {`,
			`if number == 0 || number > p.count {`,
		},
		{
			"inspect/deep/addons.go", "TestPackages", `if p.system != on.OS || p.libc != "" && libc != "" && p.libc != libc {`,
			`if p.system != on.OS {`,
		},
		{
			"inspect/deep/glob.go", "TestGlobAsRegexp", `g.each(func(c byte) bool { return c != '/' }, &g.stay)`,
			`g.each(func(byte) bool { return true }, &g.stay)`,
		},

		{
			"inspect/workload/composefile.go", "TestWithheldVariables", `value, set, err := env(name)`,
			`value, set, err := env(name)
		err = nil`,
		},
		{"inspect/workload/filler.go", "TestWithheldVariables", `case hasOperator:`, `case hasOperator || true:`},
		{
			"inspect/workload/environment.go", "TestComposeOpensNoFile", `set := map[string]setting{}
	body, err := p.options.Read(path)`,
			`set := map[string]setting{}
	body, err := os.ReadFile(path)`,
		},
		{"inspect/workload/composecopy.go", "TestComposeBounds", `c.values > maxProject {`, `false {`},
		{
			"inspect/workload/composefile.go", "TestComposeBounds", `if p.extending*p.largest*chain > maxExtended {`,
			`if false {`,
		},
		{"inspect/workload/filler.go", "TestComposeBounds", `case f.work > maxWork:
			unset`, `case false:
			unset`},
		{
			"inspect/workload/process.go", "TestProcess", `p.Entrypoint, p.Cmd = p.expand(c.get("command"), vars), []string{}`,
			`p.Cmd = p.expand(c.get("command"), vars)`,
		},
		{"inspect/workload/process.go", "TestProcess", `{"lifecycle", "preStop", "exec"},`, ``},
		{
			"inspect/workload/process.go", "TestProcess", `if at := m.get("mountPath").str(); at != "" {`,
			`if at := m.get("mountPath").str(); false {`,
		},
		{"inspect/workload/kinds.go", "TestKinds", `{group: "argoproj.io", path: "**.script", shape: container},`, ``},
		{"inspect/workload/convert.go", "TestReadBounds", `	if depth > maxDepth {
		return nil, lineError`, `	if depth > 1000*maxDepth {
		return nil, lineError`},
	}
}
