package launch_test

import (
	"runtime"
	"slices"
	"strings"
	"testing"

	"mtool/inspect/launch"
)

// started formats the commands that a script starts, one string each: "?" after a command that may be missing, and
// last, after "rest: ", the text that is not followed.
func started(s launch.Started) (all []string) {
	for _, c := range s.Commands {
		line := strings.Join(slices.Concat(c.Env, c.Argv), " ")
		if c.Dir != "" {
			line = c.Dir + ": " + line
		}
		if c.Optional {
			line += "?"
		}
		all = append(all, line)
	}
	if s.Why != "" {
		all = append(all, "rest: "+s.Rest)
	}
	return all
}

func TestOf(t *testing.T) {
	t.Parallel()
	for line, want := range map[string][]string{
		"tini -g -- app x":       {"app x"},
		"gosu user app":          {"app"},
		"gosu user -x app":       {"rest: gosu user -x app"},
		"env A=b sh -c app":      {"A=b sh -c app"},
		"busybox nice app":       {"app"},
		"sh -c app":              {"app"},
		"python3 -m http.server": {"rest: python3 -m http.server"},
		"python3":                nil,
		"runner app":             nil,
	} {
		if got := started(launch.Of(strings.Fields(line), "")); !slices.Equal(got, want) {
			t.Errorf("%q: got %q, want %q", line, got, want)
		}
	}
}

func TestScript(t *testing.T) {
	t.Parallel()
	for script, want := range map[string][]string{
		// Commands after a program that may not be started, or that others wait for, are started too.
		"exec a | exec b":                 {"a", "b?"},
		"exec a & exec b":                 {"a", "b?"},
		"exec a &> log; exec b":           {"rest: exec a &> log; exec b"},
		"test -f x && exec a; exec b":     {"a?", "b?"},
		"exec a || exec b":                {"a", "b?"},
		"[ -f x ] || exit 1; exec a":      {"a"},
		"exit 0; a":                       nil,
		"exec a; b":                       {"a"},
		"a && b":                          {"a", "b?"},
		"echo x | a":                      {"a"},
		"a\n\nb # c\n":                    {"a?", "b?"},
		"! a":                             {"a"},
		"a <<X\n$y\nX\nb":                 {"a?", "b?"},
		"a <<X\n$(y)\nX\nb":               {"a?", "rest: $(y)\nX\nb"},
		"cd /x | true; a":                 {"a"},
		"(cd /x); a":                      {"rest: (cd /x); a"},
		"cd /x; cd y && a":                {"/x/y: a?"},
		"PATH=/x; a":                      {"PATH=/x a"},
		"PATH+=/x a":                      {"rest: PATH+=/x a"}, // bash's
		"PATH=$(x) a":                     {"rest: PATH=$(x) a"},
		"A=$(x) exec a":                   {"a", "rest: $(x) exec a"},
		"export $X; a":                    {"rest: export $X; a"},
		"echo $(x); a":                    {"rest: $(x); a"},
		"echo \"${x:-`y`}\"; a":           {"rest: `y`}\"; a"},
		`exec "$@"`:                       {"p 1 q r"},
		"exec $@":                         {"rest: exec $@"}, // a parameter with a blank becomes two words
		`exec "$1" -x "$2"`:               {"p 1 -x q r"},
		`exec "$3"`:                       {"rest: exec \"$3\""},
		`exec "${1:-x}"`:                  {"rest: exec \"${1:-x}\""},
		`exec "${#1}"`:                    {"rest: exec \"${#1}\""},
		`exec "$1x"`:                      {"rest: exec \"$1x\""},
		`shift; exec "$@"`:                {"q r"},
		`set -eu; exec "$@"`:              {"p 1 q r"},
		`set -e -- x; exec "$@"`:          {"rest: set -e -- x; exec \"$@\""},
		`set x; exec "$@"`:                {"rest: set x; exec \"$@\""},
		"typeset x; a":                    {"rest: typeset x; a"},
		"[[ -n x ]] && a":                 {"rest: [[ -n x ]] && a"},
		"a=(x); b":                        {"rest: a=(x); b"},
		"b; f() { a; }; f":                {"b?", "rest: f() { a; }; f"},
		"b; case x in *) a;; esac":        {"b?", "rest: case x in *) a;; esac"},
		"if a; then b; fi":                {"rest: if a; then b; fi"},
		"exec {fd}>x; a":                  {"rest: exec {fd}>x; a"},
		"a <(b)":                          {"rest: a <(b)"},
		"exec \\\n a\\\nb":                {"ab"},
		"$'a'":                            {"rest: $'a'"},
		"~/a":                             {"rest: ~/a"},
		"a'b'\"c\"":                       {"abc"},
		strings.Repeat("x", 16<<10):       {strings.Repeat("x", 16<<10)},
		strings.Repeat("y", 16<<10+1):     {"rest: " + strings.Repeat("y", 16<<10+1)},
		"a; " + strings.Repeat(" ", 16e3): {"a"},
	} {
		if got := started(launch.Script(script, []string{"p 1", "q r"})); !slices.Equal(got, want) {
			t.Errorf("%q: got %q, want %q", script, got, want)
		}
	}
}

// The parser needs little memory for any depth of nesting.
func TestHostileScripts(t *testing.T) {
	t.Parallel()
	for _, open := range []string{
		"$(", "((", "(", "{ ", "`\\`", "\"$(", "${x:-", "if ", "while ", "case x in x) ", "a | ",
		"a && ", "! ", "$((", "<<x ", "f() ", "a\n", "[", "for x in ",
	} {
		for _, size := range []int{16 << 10, 4 << 20} {
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			s := launch.Script(strings.Repeat(open, size/len(open)), nil)
			runtime.ReadMemStats(&after)
			if s.Why == "" && open != "a\n" {
				t.Errorf("%q, %d bytes: got %d commands, and all of it is followed", open, size, len(s.Commands))
			}
			if used := after.StackSys - min(before.StackSys, after.StackSys); used > 64<<20 {
				t.Errorf("%q, %d bytes: %d MB of stack", open, size, used>>20)
			}
		}
	}
}

// FuzzScript: Script returns for every input, and each command has at least one word.
func FuzzScript(f *testing.F) {
	for _, script := range []string{
		`set -e; exec "$@"`, "a | b & c", "<<x\nx", "f() { `x`; }", "$((1))", "A=b PATH+=c d",
		"'", "exec",
	} {
		f.Add(script)
	}
	f.Fuzz(func(t *testing.T, script string) {
		for _, c := range launch.Script(script, []string{"x", "y z"}).Commands {
			if len(c.Argv) == 0 {
				t.Fatalf("%q: a command without words", script)
			}
		}
	})
}
