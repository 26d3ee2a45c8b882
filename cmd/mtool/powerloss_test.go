package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"mtool/cmd/internal/faults"
	"mtool/cmd/internal/testparts"
	"mtool/registry/registrytest"
)

// TestPowerLoss checks that a power cut loses nothing that was reported. Before a command reports a result, it must
// have synced every file before renaming it, and afterwards the directory of every new name. strace lists the system
// calls.
func TestPowerLoss(t *testing.T) {
	testparts.Need(t, testparts.Strace)
	home := faults.NewHome(t)
	mtool := faults.Program(t)
	s := registrytest.New(t, registrytest.Options{})
	s.Load("demo", "amd64", faults.Image(t, "linux/amd64"))
	s.Load("demo", "arm64", faults.Image(t, "linux/arm64"))
	s.Load("demo", "s390x", faults.Image(t, "linux/s390x"))
	faults.WriteArchive(t, filepath.Join(home, "amd64.tar"), faults.Image(t, "linux/amd64"))
	lines := []string{
		"load " + home + "/amd64.tar -t loaded:v1",
		"create demo:v1 " + s.Host() + "/demo:amd64 " + s.Host() + "/demo:arm64",
		"annotate demo:v1 --annotation a=b",
		"amend demo:v1 " + s.Host() + "/demo:s390x",
		"remove demo:v1 linux/arm64",
		"push demo:v1 store:pushed:v1",
		"copy " + s.Host() + "/demo:amd64 oci:" + home + "/mtool/layout:v1",
		"copy " + s.Host() + "/demo:amd64 oci-archive:" + home + "/archive.tar:v1",
		"save demo:v1 -o " + home + "/saved.tar",
		"login " + s.Host() + " -u bob --password-stdin",
	}
	if ok, err := testparts.Available(testparts.QEMU); err != nil {
		t.Fatal(err)
	} else if ok {
		lines = append(lines, "build --arch amd64 -t built:v1 -o type=tar,dest="+home+"/built.tar "+faults.ScratchContext(t))
	}
	for _, line := range lines {
		log := filepath.Join(t.TempDir(), "calls")
		words := append([]string{
			"-f", "-y", "-s", "300", "-e",
			"trace=/^(write|pwrite64|fsync|fdatasync|rename.*|mkdir.*|link.*)$", "-o", log, mtool,
		}, strings.Fields(line)...)
		cmd := exec.CommandContext(t.Context(), "strace", words...)
		cmd.Stdin = strings.NewReader("password\n")
		var stderr strings.Builder
		cmd.Stderr = &stderr
		stdout, err := os.Create(filepath.Join(t.TempDir(), "stdout"))
		if err != nil {
			t.Fatal(err)
		}
		cmd.Stdout = stdout
		if err := errors.Join(cmd.Run(), stdout.Close()); err != nil {
			t.Fatalf("mtool %s: %v: %s", line, err, stderr.String())
		}
		text, err := os.ReadFile(log)
		if err != nil {
			t.Fatal(err)
		}
		found, named := unsynced(string(text), home, stdout.Name())
		for _, f := range found {
			t.Errorf("mtool %s: %s", line, f)
		}
		if named == 0 {
			t.Errorf("mtool %s: no new names were found", line)
		}
	}
}

// TestPowerLossLiars checks that unsynced finds every missing call.
func TestPowerLossLiars(t *testing.T) {
	t.Parallel()
	const good = `7 mkdir("/h/d", 0755) = 0
7 fsync(3</h>) = 0
7 write(4</h/d/tmp>, "x", 1) = 1
7 fsync(4</h/d/tmp> <unfinished ...>
8 write(9</else>, "y", 1) = 1
7 <... fsync resumed>) = 0
7 renameat(AT_FDCWD</>, "/h/d/tmp", AT_FDCWD</>, "/h/d/file") = 0
7 fsync(5</h/d>) = 0
7 write(1</dev/out>, "x@sha256:00\n", 12) = 12
`
	if found, named := unsynced(good, "/h", "/dev/out"); len(found) > 0 || named != 2 {
		t.Errorf("found %q and %d names in correct calls", found, named)
	}
	lines := strings.SplitAfter(good, "\n")
	for i, line := range lines {
		if !strings.Contains(line, "fsync") || strings.Contains(line, "resumed") {
			continue
		}
		liar := strings.Join(append(append([]string{}, lines[:i]...), lines[i+1:]...), "")
		liar = strings.ReplaceAll(liar, "7 <... fsync resumed>) = 0\n",
			map[bool]string{true: "", false: "7 <... fsync resumed>) = 0\n"}[strings.Contains(line, "unfinished")])
		if found, _ := unsynced(liar, "/h", "/dev/out"); len(found) == 0 {
			t.Errorf("the missing call %q is not found", line)
		}
	}
}

var (
	callWhole   = regexp.MustCompile(`^(\d+)\s+(\w+)\((.*)\)\s+= (-?\d+)`)
	callStarted = regexp.MustCompile(`^(\d+)\s+(\w+)\((.*?)\s*<unfinished \.\.\.>$`)
	callResumed = regexp.MustCompile(`^(\d+)\s+<\.\.\. (\w+) resumed>(.*)\)\s+= (-?\d+)`)
	callFile    = regexp.MustCompile(`^\d+<([^>]*)>`)
	callNames   = regexp.MustCompile(`"([^"]*)"`)
	madeAgain   = regexp.MustCompile(`^/mtool/(worker|facts|\.build-)`) // mtool makes these again if they are missing or damaged
)

// unsynced reads strace's lines up to the first write to the command's standard output. It returns what was not synced,
// and the number of new names below home.
func unsynced(text, home, stdout string) (found []string, named int) {
	started := map[string]string{}
	dirty := map[string]bool{}          // files with writes after the last sync
	unsyncedDirs := map[string]string{} // directories with a new name after the last sync
	for line := range strings.SplitSeq(text, "\n") {
		var call, args string
		if m := callStarted.FindStringSubmatch(line); m != nil {
			started[m[1]] = m[3]
			continue
		} else if m := callResumed.FindStringSubmatch(line); m != nil {
			call, args = m[2], started[m[1]]+m[3]
			if strings.HasPrefix(m[4], "-") {
				continue
			}
		} else if m := callWhole.FindStringSubmatch(line); m != nil {
			call, args = m[2], m[3]
			if strings.HasPrefix(m[4], "-") {
				continue
			}
		} else {
			continue
		}
		file := ""
		if m := callFile.FindStringSubmatch(args); m != nil {
			file = m[1]
		}
		names := callNames.FindAllStringSubmatch(args, -1)
		switch {
		case strings.Contains(call, "write") && file == stdout:
			return append(found, notLasting(unsyncedDirs)...), named
		case strings.Contains(call, "write"):
			dirty[file] = true
		case call == "fsync" || call == "fdatasync":
			delete(dirty, file)
			delete(unsyncedDirs, file)
		case strings.HasPrefix(call, "rename") && len(names) == 2 || strings.HasPrefix(call, "mkdir") && len(names) == 1:
			name := names[len(names)-1][1]
			if !strings.HasPrefix(name, home) || madeAgain.MatchString(strings.TrimPrefix(name, home)) {
				continue
			}
			if old := names[0][1]; dirty[old] {
				found = append(found, fmt.Sprintf("%s was renamed to %s before it was synced", old, name))
			}
			named++
			unsyncedDirs[filepath.Dir(name)] = name
		}
	}
	if !strings.HasSuffix(text, "+++ exited with 0 +++\n") {
		found = append(found, "the command neither reported anything nor exited with 0")
	}
	return append(found, notLasting(unsyncedDirs)...), named
}

func notLasting(dirs map[string]string) (found []string) {
	for dir, name := range dirs {
		found = append(found, fmt.Sprintf("%s was reported before its directory %s was synced", name, dir))
	}
	return found
}
