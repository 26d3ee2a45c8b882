package cli

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// blankValues returns values that an unset shell variable can lead to.
func blankValues() []string { return []string{"", " ", "\t", "\n", "\u00a0"} }

// runAll runs a command line and returns its exit code and everything it printed.
func runAll(args ...string) (int, string) {
	var out bytes.Buffer
	code := Run(context.Background(), args, Stdio{In: strings.NewReader(""), Out: &out, Err: &out})
	return code, out.String()
}

// walk calls f for every runnable command with the words of its path.
func walk(f func(path []string, cmd *cobra.Command)) {
	var visit func(path []string, cmd *cobra.Command)
	visit = func(path []string, cmd *cobra.Command) {
		if cmd.Runnable() && len(path) > 0 {
			f(path, cmd)
		}
		for _, c := range cmd.Commands() {
			visit(append(slices.Clone(path), c.Name()), c)
		}
	}
	visit(nil, (&application{}).root())
}

// Every flag with a value refuses an empty one and an empty item of a comma-separated list. Flags that may be empty are
// listed here; a new one needs a reason.
func TestEmptyFlags(t *testing.T) {
	t.Parallel()
	exempt := map[string]bool{}
	count := 0
	walk(func(path []string, cmd *cobra.Command) {
		each := func(f *pflag.Flag) {
			name := strings.Join(path, " ") + " --" + f.Name
			if reason := f.Annotations[reasonKey]; reason != nil {
				exempt[name] = len(reason) == 1 && reason[0] != ""
				return
			}
			if f.Value.Type() == "bool" {
				return
			}
			count++
			values := blankValues()
			if f.Value.Type() == "stringSlice" {
				values = append(values, "a,,b", "a,", ",a", ",", "a, ,b", "a\nb")
			}
			for _, value := range values {
				want := "--" + f.Name
				args := append(slices.Clone(path), "--"+f.Name+"="+value, "x", "y")
				code, out := runAll(args...)
				if code != exitUsage || !strings.Contains(out, want) || !strings.Contains(out, "is empty") &&
					!strings.Contains(out, "several lines") {
					t.Errorf("%q: code %d: %s", args, code, out)
				}
			}
		}
		cmd.Flags().VisitAll(each)
		cmd.InheritedFlags().VisitAll(each)
	})
	if count < 200 {
		t.Errorf("only %d flags were tried", count)
	}
	want := map[string]bool{
		"create --artifact-type": true, "create --subject": true, "amend --artifact-type": true, "amend --subject": true,
		"annotate --artifact-type": true, "annotate --subject": true, "inspect --run": true, "inspect --run-args": true,
		"set --cmd": true, "set --entrypoint": true, "set --stop-signal": true, "set --user": true, "set --workdir": true,
		"imagetools create --builder": true, "imagetools inspect --builder": true,
	}
	if fmt.Sprint(exempt) != fmt.Sprint(want) {
		t.Errorf("flags that may be empty, with a reason: %v, want %v", exempt, want)
	}
}

// Every command refuses an empty argument in any position.
func TestEmptyArguments(t *testing.T) {
	t.Parallel()
	count := 0
	walk(func(path []string, _ *cobra.Command) {
		count++
		for _, value := range blankValues() {
			for at := range 3 {
				args := []string{"x", "y", "z"}[:at]
				args = append(append(slices.Clone(path), args...), value)
				for _, words := range [][]string{args, append([]string{"mtool"}, args...)} { // docker's plugin calls it so
					if code, out := runAll(words...); code != exitUsage ||
						!strings.Contains(out, fmt.Sprintf("argument %d is empty", at+1)) {
						t.Errorf("%q: code %d: %s", words, code, out)
					}
				}
			}
		}
	})
	if count < 30 {
		t.Errorf("only %d commands were tried", count)
	}
}

// An empty part of a flag's value is refused too.
func TestEmptyParts(t *testing.T) {
	t.Parallel()
	for _, flag := range []string{
		"--output=type=oci,dest=", "--output=type=local,dest= ", "--output=type=registry,name=", "--secret=id=x,src=",
		"--secret=id=", "--secret=id=x,env=",
		"--ssh=default=", "--ssh==x", "--ssh=default=a,,b",
		"--cache-to=type=local,dest=", "--cache-from=type=registry,ref=", "--cache-to=type=registry,ref=x,mode=",
		"--provenance=mode=", "--sbom=generator=", "--worker=tcp://", "--worker=docker-container://", "--worker=linux/arm64=",
		"--worker==tcp://x",
		"--build-context=x=", "--build-context==x",
		"--build-context=x=docker-image://", "--build-context=x=store:", "--build-context=x=oci-layout://",
		"--build-context=x=https://", "--add-host=x:", "--add-host=:1.2.3.4", "--mirror=x=", "--client-cert=x=a:",
		"--build-arg==x", "--label==x", "--label= =x", "--annotation==x", "--annotation=index:=x", "--ulimit=nofile=",
		"--tag=demo:", "--tag=/demo",
	} {
		if code, out := runAll("build", "--preflight", flag, t.TempDir()); code != exitUsage ||
			strings.Contains(out, "Dockerfile") {
			t.Errorf("%s: code %d: %s", flag, code, out)
		}
	}
}
