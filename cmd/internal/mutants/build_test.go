package mutants

// ofBuild returns the mutants of contexts, repositories and the worker.
func ofBuild() []mutant {
	return []mutant{
		{
			"build/paths.go", "TestDockerfileLinksOut", `f, err := regular.OpenIn(root, name)`,
			`f, err := regular.Open(s.Dockerfile)`,
		},
		{
			"build/paths.go", "TestOutputsThroughLinks", `if err := CheckOutput(s.Context, e.Dir); err != nil {`,
			`if err := CheckOutput(s.Context, e.Dir); false {`,
		},
		{
			"build/bake/paths.go", "bake-print.txtar", `filepath.IsLocal(rel) && regular.StaysIn(root, path) == nil`,
			`filepath.IsLocal(rel) || regular.StaysIn(root, path) == nil`,
		},
		{"build/netns/rules.go", "TestRules", `a.IsValid() && !a.IsLoopback() && !a.IsUnspecified()`, `a.IsValid()`},
		{"build/run.go", "TestRun", `if !platform.Equal(have, want) {`, `if false {`},
		{"build/worker/actions_linux.go", "TestLimitedBuffer", `b.left -= len(data); b.left < 0`, `b.left -= len(data); false`},

		{
			"build/snapshot/walk.go", "TestSameTime", `n.resend = m.varies(t.key(n), stat.Size, stat.ModTime)`,
			`n.resend = false`,
		},
		{
			"build/snapshot/content.go", "TestOneView",
			`if c.bytes != c.stat.Size || !c.same() || c.n.sum != nil && *c.n.sum != sum {`, `if false {`,
		},
		{"build/snapshot/content.go", "TestPartlySent", `!c.whole && c.bytes > 0 {`, `false {`},
		{"build/snapshot/memory.go", "TestSameTime", `f.Varies = f.Varies || f.Sum != sum`, `f.Sum = sum`},
		{
			"build/snapshot/memory.go", "TestUnchanged",
			`return r.Last.Sum, r.Last == hashed{id, stat.Size, stat.ModTime, r.Last.Sum}`,
			`return r.Last.Sum, r.Last.Size == stat.Size`,
		},
		{"build/snapshot/memory.go", "TestUnchanged", `if err == nil && take(path) == nil {`, `if err == nil {`},
		{"build/snapshot/walk.go", "TestHidden", `delete(stat.Xattrs, t.o.Hidden)`, ``},

		{"build/device/device.go", "TestParse", `if d.Whiteout() || d.String() != value {`, `if d.String() != value {`},
		{
			"build/device/task_linux.go", "TestServe", `"ns/user", &s, 0) == nil && s.Ino == namespace`,
			`"ns/user", &s, 0) == nil`,
		},
		{
			"build/receive.go", "TestNoDeviceIsMade", `if fs.FileMode(stat.Mode)&fs.ModeDevice == 0 {`,
			`if fs.FileMode(stat.Mode)&fs.ModeSymlink == 0 {`,
		},
		{"build/worker/unpack_linux.go", "TestStandIn", `delete(h.PAXRecords, attribute)`, `_ = attribute`},
		{"build/worker/unpack_linux.go", "TestStandIn", `if u.forgets != nil {`, `if false {`},

		{
			"build/context/committime.go", "TestHostileRepositories", `return git{dir: lent, own: true}.commitTime(ctx, id)`,
			`return git{dir: dir}.commitTime(ctx, id)`,
		},

		{"build/worker/statedir.go", "TestStateDir", `if !whole(m.UIDs) || !whole(m.GIDs) {`, `if !whole(m.UIDs) {`},
		{"build/worker/statedir.go", "TestStateDir", `[]any{m.UIDs, m.GIDs}`, `[]any{m.GIDs}`},
		{
			"build/worker/state_linux.go", "TestFormat", `if err == nil && string(b) == stateFormat {`,
			`if err == nil && len(b) > 0 {`,
		},
		{
			"build/credentials.go", "TestPasswordOfTokenServer", `case !remote.SameOrigin(r.URL, first.URL) &&`,
			`case false &&`,
		},

		{"build/fingerprints.go", "TestUnpinned", `if mayBeRemote(source) && !pinned(source) {`, `if !mayBeRemote(source) && !pinned(source) {`},
		{
			"cmd/internal/app/rebuild/rebuild.go", "TestRequestOfStrangers", `if o.Context == "" && !fetched(r.Context) {`,
			`if o.Context == "" && r.Context == "" {`,
		},
		{"cmd/internal/app/rebuild/arguments.go", "TestRequestOfStrangers", `if !filepath.IsLocal(file) {`, `if false {`},
		{
			"build/reuse.go", "TestChangedMeanwhile", `all[i].Err == nil && before[i].digest != after[i].digest {`,
			`all[i].Err == nil && len(after) == 0 {`,
		},
		{"build/fingerprint/files.go", "TestFiles", `return addContent(all, tree, path)`, `return nil`},
	}
}
