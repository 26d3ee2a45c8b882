package main

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"mtool/cmd/internal/faults"
	"mtool/cmd/internal/testparts"
	"mtool/registry/registrytest"
)

// TestManyProcesses runs sixteen processes on one draft in one home. Each adds a platform and an annotation, and
// builds, loads, pushes or prunes in between. No edit may be lost, nothing in use may be pruned, and no process may
// wait forever.
func TestManyProcesses(t *testing.T) {
	testparts.Need(t, testparts.Slow)
	home := faults.NewHome(t)
	mtool := faults.Program(t)
	src, dst := registrytest.New(t, registrytest.Options{}), registrytest.New(t, registrytest.Options{})
	platforms := []string{
		"linux/amd64", "linux/arm64", "linux/arm/v7", "linux/arm/v6", "linux/arm/v5", "linux/386", "linux/s390x",
		"linux/ppc64le",
		"linux/riscv64", "linux/mips64le", "linux/loong64", "linux/mips64", "freebsd/amd64", "windows/amd64", "freebsd/arm64",
		"windows/arm64",
	}
	for i, p := range platforms {
		b := faults.Image(t, p)
		src.Load("demo", fmt.Sprint("p", i), b)
		faults.WriteArchive(t, filepath.Join(home, fmt.Sprint(i, ".tar")), b)
	}
	src.Load("demo", "first", faults.Image(t, "linux/mips"))
	faults.MustRun(t, "create demo:v1 "+src.Host()+"/demo:first")
	builds, err := testparts.Available(testparts.QEMU)
	if err != nil {
		t.Fatal(err)
	}
	directory := faults.ScratchContext(t)
	ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
	defer cancel()
	var wg sync.WaitGroup
	for i := range platforms {
		lines := []string{
			fmt.Sprintf("amend demo:v1 %s/demo:p%d", src.Host(), i),
			fmt.Sprintf("load %s/%d.tar -t loaded:v%d", home, i, i),
			[]string{"prune", "push demo:v1 " + dst.Host() + "/demo:v1", "ls", "prune"}[i%4],
			fmt.Sprintf("annotate demo:v1 --annotation p%d=x", i),
		}
		if builds && i%8 == 0 {
			lines = append(lines, fmt.Sprintf("build --arch amd64 --build-arg N=%d -t built:v%d %s", i, i, directory))
		}
		wg.Go(func() {
			for _, line := range lines {
				if out, err := faults.Process(ctx, mtool, strings.Fields(line)...); err != nil {
					t.Errorf("mtool %s: %v: %s", line, err, out)
				}
			}
		})
	}
	wg.Wait()
	if ctx.Err() != nil {
		t.Fatal("the processes did not end in time: a deadlock?")
	}
	faults.MustRun(t, "inspect --exact --require linux/mips,"+strings.Join(platforms, ",")+" draft:demo:v1")
	raw := faults.MustRun(t, "inspect --raw draft:demo:v1")
	for i := range platforms {
		if !strings.Contains(raw, fmt.Sprintf(`"p%d":"x"`, i)) {
			t.Errorf("the annotation of process %d is lost: %s", i, raw)
		}
		faults.MustRun(t, fmt.Sprintf("inspect store:loaded:v%d", i))
		if builds && i%8 == 0 {
			faults.MustRun(t, fmt.Sprintf("inspect store:built:v%d", i))
		}
	}
	faults.MustRun(t, "prune")
	faults.MustRun(t, "push demo:v1 "+dst.Host()+"/demo:v2")
	if broken := dst.Broken(); len(broken) > 0 {
		t.Errorf("published in part: %q", broken)
	}
	faults.MustDigest(t, dst, "demo", "v2")
}
