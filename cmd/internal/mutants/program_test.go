package mutants

// ofProgram returns the mutants whose tests need the whole program or real parts.
func ofProgram() []mutant {
	return []mutant{
		{"registry/store/store.go", "TestSecretsStaySecret", `l.mode = 0o700`, `l.mode = 0o755`},
		{
			"inspect/workload/convert.go", "deploy-bad-input.txtar", `m.node.twice == "" && !same(`,
			`m.node.twice != "" && !same(`,
		},
		{
			"inspect/workload/variables.go", "deploy-variables.txtar", `if _, there := os.LookupEnv(name); !there {`,
			`if value, there := os.LookupEnv(name); there {
		return value, true, nil
	} else if !there {`,
		},
		{"inspect/workload/around.go", "deploy-variables.txtar", `	if !filepath.IsLocal(name) {`, `	if false {`},
		{"cmd/mtool/core_unix.go", "TestCrashLeavesNoMemory", `limit.Cur = min(1, limit.Max)`, `limit.Cur = limit.Max`},
		{"cmd/mtool/interrupt.go", "TestStuck", `		<-signals
		restore()`, `		select {}
		restore()`},
		{
			"build/worker/env_linux.go", "build-hostile-archives.txtar", `return mount.SetTempMountLocation(tmpDir(c.Root))`,
			`_ = mount.SetTempMountLocation
	return nil`,
		},
		{
			"build/worker/enter_linux.go", "killed-build.txtar",
			`err := unix.MountSetattr(unix.AT_FDCWD, "/sys/fs/cgroup", unix.AT_RECURSIVE, readOnly)`, `_ = readOnly
	var err error`,
		},
		{"build/worker/buildkit_linux.go", "build-hostile.txtar", `if c.Shared {
		return oci`, `if true {
		return oci`},
	}
}
