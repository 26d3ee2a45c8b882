package rootfs_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"mtool/inspect/rootfs"
)

// steps formats the result of Command, one line for each step: "ROLE NAME PATH ARCH" or "ROLE NAME: KIND OF ERROR".
func steps(t *testing.T, tree *rootfs.Tree, c rootfs.ImageConfig) lines {
	t.Helper()
	all, err := tree.Command(c)
	if err != nil {
		t.Fatal(err)
	}
	var got lines
	for _, s := range all {
		line := fmt.Sprintf("%s %s", s.Role, s.Name)
		switch {
		case s.Err != nil:
			line += ": " + kind(s.Err)
		default:
			line += " " + s.Found.Path
			if s.Found.File != nil {
				line += " " + strings.TrimSpace(s.Found.File.Fact.Arch+" "+string(s.Found.File.Fact.Kind)[:3])
			}
		}
		got = append(got, line)
	}
	return got
}

func kind(err error) string {
	for name, k := range map[string]error{
		"missing": rootfs.ErrMissing, "unread": rootfs.ErrUnread, "loop": rootfs.ErrLoop,
		"not runnable": rootfs.ErrNotRunnable, "not followed": rootfs.ErrNotFollowed,
	} {
		if errors.Is(err, k) {
			return name
		}
	}
	return err.Error()
}

// userland is an image with a shell, env and an interpreter; all programs are static.
func userland() lines {
	return lines{
		"elf usr/bin/dash arm64", "link usr/bin/sh dash", "link bin usr/bin", "elf usr/bin/env arm64",
		"elf usr/bin/python3.11 arm64",
		"link usr/bin/python3 python3.11", "elf usr/bin/tini arm64", "elf usr/local/bin/gosu arm64", "elf app/server arm64",
		"script app/run /usr/bin/env python3", "script app/start /bin/sh -e", "elf usr/bin/dumb-init arm64",
		"elf sbin/su-exec arm64",
		"text app/text", "lib app/data arm64",
	}
}

func TestCommand(t *testing.T) {
	t.Parallel()
	app := "entrypoint /app/server app/server arm64 elf"
	sh := "shell /bin/sh usr/bin/dash arm64 elf"
	tests := []struct {
		name  string
		extra lines // entries of a second layer
		c     rootfs.ImageConfig
		want  lines
	}{
		{"absolute", nil, rootfs.ImageConfig{Entrypoint: lines{"/app/server"}}, lines{app}},
		{"command alone", nil, rootfs.ImageConfig{Cmd: lines{"/app/server", "-v"}}, lines{app}},
		{
			"command as arguments", nil,
			rootfs.ImageConfig{Entrypoint: lines{"/app/server"}, Cmd: lines{"/app/data"}},
			lines{app},
		},
		{"missing", nil, rootfs.ImageConfig{Entrypoint: lines{"/app/serve"}}, lines{"entrypoint /app/serve: missing"}},
		{"empty word", nil, rootfs.ImageConfig{Entrypoint: lines{""}}, lines{"entrypoint : missing"}},
		{
			"relative to the working directory", nil,
			rootfs.ImageConfig{Entrypoint: lines{"./server"}, WorkingDir: "/app"},
			lines{"entrypoint ./server app/server arm64 elf"},
		},
		{
			"relative to a working directory without slash", nil,
			rootfs.ImageConfig{Entrypoint: lines{"bin/../server"}, WorkingDir: "app"},
			lines{"entrypoint bin/../server: missing"},
		},
		{
			"relative to another working directory", nil,
			rootfs.ImageConfig{Entrypoint: lines{"./server"}, WorkingDir: "/usr"},
			lines{"entrypoint ./server: missing"},
		},
		{
			"working directory that is a link",
			lines{"link srv /app"},
			rootfs.ImageConfig{Entrypoint: lines{"./server"}, WorkingDir: "/srv/"},
			lines{"entrypoint ./server app/server arm64 elf"},
		},
		{"a directory", nil, rootfs.ImageConfig{Entrypoint: lines{"/app"}}, lines{"entrypoint /app: not runnable"}},
		{
			"no executable bit", nil,
			rootfs.ImageConfig{Entrypoint: lines{"/app/data"}},
			lines{"entrypoint /app/data: not runnable"},
		},
		{
			"text without #!", nil,
			rootfs.ImageConfig{Entrypoint: lines{"/app/text"}},
			lines{"entrypoint /app/text: not runnable"},
		},

		{
			"default PATH", nil,
			rootfs.ImageConfig{Entrypoint: lines{"python3"}},
			lines{"entrypoint python3 usr/bin/python3.11 arm64 elf"},
		},
		{
			"PATH of the config", nil,
			rootfs.ImageConfig{Entrypoint: lines{"server"}, Env: lines{"A=b", "PATH=/nowhere:/app"}},
			lines{"entrypoint server app/server arm64 elf"},
		},
		{"not in PATH", nil, rootfs.ImageConfig{Entrypoint: lines{"server"}}, lines{"entrypoint server: missing"}},
		{
			"empty PATH", nil,
			rootfs.ImageConfig{Entrypoint: lines{"python3"}, Env: lines{"PATH="}},
			lines{"entrypoint python3: missing"},
		},
		{
			"PATH in order",
			lines{"elf usr/local/bin/python3 amd64"},
			rootfs.ImageConfig{Entrypoint: lines{"python3"}},
			lines{"entrypoint python3 usr/local/bin/python3 amd64 elf"},
		},
		{
			"PATH, past files that can't run",
			lines{"lib usr/local/bin/python3 amd64", "dir usr/local/sbin/python3/"},
			rootfs.ImageConfig{Entrypoint: lines{"python3"}},
			lines{"entrypoint python3 usr/bin/python3.11 arm64 elf"},
		},
		{
			"nothing in PATH can run",
			lines{"lib usr/bin/x amd64"},
			rootfs.ImageConfig{Entrypoint: lines{"x"}},
			lines{"entrypoint x: not runnable"},
		},
		{
			"relative PATH", nil,
			rootfs.ImageConfig{Entrypoint: lines{"server"}, Env: lines{"PATH=."}, WorkingDir: "/app"},
			lines{"entrypoint server app/server arm64 elf"},
		},

		{
			"script", nil,
			rootfs.ImageConfig{Entrypoint: lines{"/app/start"}},
			lines{
				"entrypoint /app/start app/start scr", "interpreter /bin/sh usr/bin/dash arm64 elf",
				"interpreter /app/start: not followed",
			},
		},
		{
			"script of env", nil,
			rootfs.ImageConfig{Entrypoint: lines{"/app/run"}},
			lines{
				"entrypoint /app/run app/run scr", "interpreter /usr/bin/env usr/bin/env arm64 elf",
				"interpreter python3 usr/bin/python3.11 arm64 elf",
				"interpreter /app/run: not followed",
			},
		},
		{
			"script of env -S",
			lines{"script s /usr/bin/env -S python3 -u"},
			rootfs.ImageConfig{Entrypoint: lines{"/s"}},
			lines{
				"entrypoint /s s scr", "interpreter /usr/bin/env usr/bin/env arm64 elf",
				"interpreter python3 usr/bin/python3.11 arm64 elf",
				"interpreter /s: not followed",
			},
		},
		{
			"script of env without -S",
			lines{"script s /usr/bin/env python3 -u"},
			rootfs.ImageConfig{Entrypoint: lines{"/s"}},
			lines{"entrypoint /s s scr", "interpreter /usr/bin/env usr/bin/env arm64 elf", "interpreter python3 -u: missing"},
		},
		{
			"script without its interpreter",
			lines{"script s /bin/bash"},
			rootfs.ImageConfig{Entrypoint: lines{"/s"}},
			lines{"entrypoint /s s scr", "interpreter /bin/bash: missing"},
		},
		{
			"script from Windows",
			lines{"script s /bin/sh\r"},
			rootfs.ImageConfig{Entrypoint: lines{"/s"}},
			lines{"entrypoint /s s scr", "interpreter /bin/sh\r: missing"},
		},
		{
			"script without its env's program",
			lines{"script s /usr/bin/env ruby"},
			rootfs.ImageConfig{Entrypoint: lines{"/s"}},
			lines{"entrypoint /s s scr", "interpreter /usr/bin/env usr/bin/env arm64 elf", "interpreter ruby: missing"},
		},
		{
			"interpreter is not looked for in PATH",
			lines{"script s python3"},
			rootfs.ImageConfig{Entrypoint: lines{"/s"}},
			lines{"entrypoint /s s scr", "interpreter ./python3: missing"},
		},
		{
			"wrong interpreter in a higher layer",
			lines{"elf usr/bin/dash amd64"},
			rootfs.ImageConfig{Entrypoint: lines{"/app/start"}},
			lines{
				"entrypoint /app/start app/start scr", "interpreter /bin/sh usr/bin/dash amd64 elf",
				"interpreter /app/start: not followed",
			},
		},

		{
			"busybox",
			lines{"elf bin2/busybox arm64", "link bin2/ls /bin2/busybox", "hard bin2/cat bin2/busybox"},
			rootfs.ImageConfig{Entrypoint: lines{"ls"}, Env: lines{"PATH=/bin2"}},
			lines{"entrypoint ls bin2/busybox arm64 elf"},
		},
		{
			"busybox, hard link",
			lines{"elf bin2/busybox arm64", "hard bin2/cat bin2/busybox"},
			rootfs.ImageConfig{Entrypoint: lines{"cat"}, Env: lines{"PATH=/bin2"}},
			lines{"entrypoint cat bin2/cat arm64 elf"},
		},
		{
			"busybox sh -c",
			lines{"elf busybox arm64"},
			rootfs.ImageConfig{Entrypoint: lines{"/busybox", "sh", "-c", "/app/server"}},
			lines{"shell /busybox busybox arm64 elf", app},
		},

		{
			"loader",
			lines{"elf dyn arm64 /lib64/ld.so", "elf usr/lib64/ld.so arm64", "link lib64 usr/lib64"},
			rootfs.ImageConfig{Entrypoint: lines{"/dyn"}},
			lines{"entrypoint /dyn dyn arm64 elf", "loader /lib64/ld.so usr/lib64/ld.so arm64 elf"},
		},
		{
			"loader of another architecture",
			lines{"elf dyn arm64 /lib64/ld.so", "elf lib64/ld.so amd64"},
			rootfs.ImageConfig{Entrypoint: lines{"/dyn"}},
			lines{"entrypoint /dyn dyn arm64 elf", "loader /lib64/ld.so lib64/ld.so amd64 elf"},
		},
		{
			"no loader",
			lines{"elf dyn arm64 /lib64/ld.so"},
			rootfs.ImageConfig{Entrypoint: lines{"/dyn"}},
			lines{"entrypoint /dyn dyn arm64 elf", "loader /lib64/ld.so: missing"},
		},
		{
			"loader that can't be executed",
			lines{"elf dyn arm64 /lib64/ld.so", "lib lib64/ld.so arm64"},
			rootfs.ImageConfig{Entrypoint: lines{"/dyn"}},
			lines{"entrypoint /dyn dyn arm64 elf", "loader /lib64/ld.so: not runnable"},
		},
		{
			"loader of the interpreter",
			lines{"elf usr/bin/dash arm64 /ld.so", "elf ld.so amd64"},
			rootfs.ImageConfig{Entrypoint: lines{"/app/start"}},
			lines{
				"entrypoint /app/start app/start scr", "interpreter /bin/sh usr/bin/dash arm64 elf",
				"loader /ld.so ld.so amd64 elf", "interpreter /app/start: not followed",
			},
		},

		{
			"tini", nil,
			rootfs.ImageConfig{Entrypoint: lines{"/usr/bin/tini", "-g", "-p", "SIGTERM", "--", "/app/server", "--", "x"}},
			lines{"init /usr/bin/tini usr/bin/tini arm64 elf", app},
		},
		{
			"tini with combined letters", nil,
			rootfs.ImageConfig{Entrypoint: lines{"tini", "-wvvve", "143", "/app/server"}},
			lines{"init tini usr/bin/tini arm64 elf", app},
		},
		{
			"tini with an unknown option", nil,
			rootfs.ImageConfig{Entrypoint: lines{"tini", "-z", "--", "/app/server"}},
			lines{"init tini usr/bin/tini arm64 elf", "entrypoint tini -z -- /app/server: not followed", app},
		},
		{
			"tini without a command", nil,
			rootfs.ImageConfig{Entrypoint: lines{"tini", "--"}},
			lines{"init tini usr/bin/tini arm64 elf", "entrypoint tini --: not followed"},
		},
		{
			"wrong tini",
			lines{"elf usr/bin/tini amd64"},
			rootfs.ImageConfig{Entrypoint: lines{"tini", "--", "/app/server"}},
			lines{"init tini usr/bin/tini amd64 elf", app},
		},
		{
			"missing tini",
			lines{"gone usr/bin/tini"},
			rootfs.ImageConfig{Entrypoint: lines{"tini", "--", "/app/server"}},
			lines{"init tini: missing"},
		},
		{
			"dumb-init, then a script", nil,
			rootfs.ImageConfig{Entrypoint: lines{"dumb-init", "--single-child", "-r", "15:3", "/app/start"}},
			lines{
				"init dumb-init usr/bin/dumb-init arm64 elf", "entrypoint /app/start app/start scr",
				"interpreter /bin/sh usr/bin/dash arm64 elf",
				"interpreter /app/start: not followed",
			},
		},
		{
			"gosu", nil,
			rootfs.ImageConfig{Entrypoint: lines{"gosu", "nobody:nobody", "/app/server"}},
			lines{"init gosu usr/local/bin/gosu arm64 elf", app},
		},
		{
			"su-exec, then tini", nil,
			rootfs.ImageConfig{Entrypoint: lines{"su-exec", "1000", "tini", "/app/server"}},
			lines{"init su-exec sbin/su-exec arm64 elf", "init tini usr/bin/tini arm64 elf", app},
		},
		{
			"text without #! after an init", nil,
			rootfs.ImageConfig{Entrypoint: lines{"tini", "/app/text"}},
			lines{"init tini usr/bin/tini arm64 elf", "entrypoint /app/text app/text"},
		},
		{
			"env", nil,
			rootfs.ImageConfig{Entrypoint: lines{"env", "-u", "X", "A=b", "PATH=/app", "server"}},
			lines{"init env usr/bin/env arm64 elf", "entrypoint server app/server arm64 elf"},
		},
		{
			"env -i", nil,
			rootfs.ImageConfig{Entrypoint: lines{"env", "-i", "server"}, Env: lines{"PATH=/app:/usr/bin"}},
			lines{"init env usr/bin/env arm64 elf", "entrypoint server: missing"},
		},
		{"env alone", nil, rootfs.ImageConfig{Entrypoint: lines{"env"}}, lines{"init env usr/bin/env arm64 elf"}},
		{
			"env --chdir", nil,
			rootfs.ImageConfig{Entrypoint: lines{"env", "--chdir=/app", "./server"}},
			lines{"init env usr/bin/env arm64 elf", "entrypoint ./server app/server arm64 elf"},
		},

		{"shell form", nil, rootfs.ImageConfig{Entrypoint: lines{"/bin/sh", "-c", "exec /app/server -v $X"}}, lines{sh, app}},
		{
			"shell form, wrong shell",
			lines{"elf usr/bin/dash amd64"},
			rootfs.ImageConfig{Cmd: lines{"/bin/sh", "-c", "/app/server"}},
			lines{"shell /bin/sh usr/bin/dash amd64 elf", app},
		},
		{
			"shell form, wrong program",
			lines{"elf app/server amd64"},
			rootfs.ImageConfig{Cmd: lines{"/bin/sh", "-c", "/app/server"}},
			lines{sh, "entrypoint /app/server app/server amd64 elf"},
		},
		{
			"shell form without a shell",
			lines{"gone usr/bin/sh"},
			rootfs.ImageConfig{Cmd: lines{"/bin/sh", "-c", "/app/server"}},
			lines{"shell /bin/sh: missing"},
		},
		{
			"shell with a script", nil,
			rootfs.ImageConfig{Entrypoint: lines{"/bin/sh", "/app/text"}},
			lines{"entrypoint /bin/sh usr/bin/dash arm64 elf", "entrypoint /app/text: not followed"},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if got := steps(t, merge(t, userland(), append(lines{"dir app/"}, tt.extra...)), tt.c); !slices.Equal(got, tt.want) {
				t.Errorf("got  %q\nwant %q", got, tt.want)
			}
		})
	}
}

func TestCommandLines(t *testing.T) {
	t.Parallel()
	app := "entrypoint /app/server app/server arm64 elf"
	tests := []struct {
		line string
		want lines
	}{
		{"/app/server", lines{app}},
		{"  exec  /app/server", lines{app}},
		{"'/app/server' --flag", lines{app}},
		{`"/app/server" "$X"`, lines{app}},
		{"A=b C=$D exec /app/server", lines{app}},
		{"PATH=/app exec server", lines{"entrypoint server app/server arm64 elf"}},
		{"PATH=/app:$PATH exec server", lines{"entrypoint PATH=/app:$PATH exec server: not followed"}},
		{"exec tini -- /app/server $ARGS", lines{"init tini usr/bin/tini arm64 elf", app}},
		{"exec tini -- $APP", lines{"init tini usr/bin/tini arm64 elf", "entrypoint tini --: not followed"}},
		{
			"exec env A=$B /app/server",
			lines{"init env usr/bin/env arm64 elf", "entrypoint exec env A=$B /app/server: not followed"},
		},
		{"exec sh -c $X", lines{"shell sh usr/bin/dash arm64 elf", "entrypoint sh -c: not followed"}},
		{"nowhere && x", lines{"entrypoint nowhere: missing", "entrypoint x: not followed"}},
		{"/app/server # comment", lines{app}},
		{"exec /app/server >/dev/null 2>&1", lines{app}},
		{"/app/server && true", lines{app}},
		{"/app/server || exit 1", lines{app}},
		{"/app/server; other", lines{app, "entrypoint other: not followed"}},
		{"/app/server; python3", lines{app, "entrypoint python3 usr/bin/python3.11 arm64 elf"}},
		{"/app/server | tee", lines{app, "entrypoint tee: not followed"}},
		{"/app/server 2>&1 </dev/null | exec python3 >>log &", lines{app, "entrypoint python3 usr/bin/python3.11 arm64 elf"}},
		{"cd /app && ./server", lines{"entrypoint ./server app/server arm64 elf"}},
		{"cd / && cd app && exec ./server", lines{"entrypoint ./server app/server arm64 elf"}},
		{"cd $X && ./server", lines{"entrypoint cd $X && ./server: not followed"}},
		{"/app/server $(cat x)", lines{app, "entrypoint $(cat x): not followed"}},
		{"/app/server <<EOF", lines{app, "entrypoint /app/server <<EOF: not followed"}},
		{"/app/server <<EOF\nx\nEOF", lines{app}},
		{"exec /app/server 'unfinished", lines{"entrypoint exec /app/server 'unfinished: not followed"}},
		{"exec /app/server $(cat x)", lines{app, "entrypoint $(cat x): not followed"}},
		{"exec /app/server | python3", lines{app, "entrypoint python3 usr/bin/python3.11 arm64 elf"}},
		{"exec /app/server & exec python3", lines{app, "entrypoint python3 usr/bin/python3.11 arm64 elf"}},
		{"[ -n x ] || exit 1; exec /app/server", lines{app}},
		{"export PATH=/app; A=b; server", lines{"entrypoint server app/server arm64 elf"}},
		{"export PATH=$PATH:/app; server", lines{"entrypoint export PATH=$PATH:/app; server: not followed"}},
		{". /etc/env; /app/server", lines{"entrypoint . /etc/env; /app/server: not followed"}},
		{"exit 0; /app/server", nil},
		{"[ -n x ] && exec /app/server", lines{app}},
		{"/app/server \\\n  -x", lines{app}},
		{"exec 2>&1; exec /app/server", lines{app}},
		{"f() { /app/server; }; f", lines{"entrypoint f() { /app/server; }; f: not followed"}},
		{"set -e; exec /app/server", lines{app}},
		{"set -- /app/server; exec $1", lines{"entrypoint set -- /app/server; exec $1: not followed"}},
		{"if true; then /app/server; fi", lines{"entrypoint if true; then /app/server; fi: not followed"}},
		{"$APP", lines{"entrypoint $APP: not followed"}},
		{`"$@"`, nil},
		{"$(which server)", lines{"entrypoint $(which server): not followed"}},
		{"`which server`", lines{"entrypoint `which server`: not followed"}},
		{"exec -a name /app/server", lines{"entrypoint exec -a name /app/server: not followed"}},
		{"/app/ser*", lines{"entrypoint /app/ser*: not followed"}},
		{"'unfinished", lines{"entrypoint 'unfinished: not followed"}},
		{"(/app/server)", lines{"entrypoint (/app/server): not followed"}},
		{"", lines{"entrypoint : not followed"}},
		{"nowhere", lines{"entrypoint nowhere: missing"}},
		{"sh -c 'exec /app/server'", lines{"shell sh usr/bin/dash arm64 elf", app}},
		{"sh -c /app/server && x", lines{"shell sh usr/bin/dash arm64 elf", app, "entrypoint x: not followed"}},
		{`sh -c 'exec "$@"' -- /app/server`, lines{"shell sh usr/bin/dash arm64 elf", app}},
		{`sh -c 'exec "$2"' -- x /app/server`, lines{"shell sh usr/bin/dash arm64 elf", app}},
	}
	tree := merge(t, userland())
	for _, options := range []lines{
		{"-c"},
		{"-ec"},
		{"-eo", "pipefail", "-c"},
		{"-euo", "pipefail", "-c", "--"},
		{"-c", "-x"},
		{"+x", "-c"},
	} {
		for _, tt := range tests {
			got := steps(t, tree, rootfs.ImageConfig{Entrypoint: append(append(lines{"/bin/sh"}, options...), tt.line)})
			if len(got) == 0 || got[0] != "shell /bin/sh usr/bin/dash arm64 elf" || !slices.Equal(got[1:], tt.want) {
				t.Errorf("sh %s %q:\ngot  %q\nwant %q", strings.Join(options, " "), tt.line, got, tt.want)
			}
		}
	}
}

// Each launcher with its options: the command that it starts is followed completely.
func TestLaunchers(t *testing.T) {
	t.Parallel()
	var files lines
	for name := range strings.FieldsSeq(`tini dumb-init catatonit gosu su-exec s6-setuidgid with-contenv chpst setpriv timeout nice stdbuf nohup
		setsid ionice taskset chrt setarch linux32 sudo doas su runuser xvfb-run dbus-run-session dockerize env busybox`) {
		files = append(files, "elf usr/bin/"+name+" arm64")
	}
	tree := merge(t,
		append(userland(), "elf lib/ld-linux-aarch64.so.1 arm64", "elf lib/ld-musl-aarch64.so.1 arm64"), files)
	for _, command := range []string{
		"tini -s -p SIGTERM --", "dumb-init -c --rewrite 15:3", "dumb-init --rewrite=15:3 --", "catatonit -g --", "gosu a:b",
		"su-exec a",
		"s6-setuidgid a", "with-contenv", "chpst -u a -U b -P", "chpst -ua", "setpriv --reuid=1 --regid 1 --clear-groups --",
		"timeout 10", "timeout -k 5 -s KILL 10", "timeout --kill-after=5 --foreground 10", "nice", "nice -n 5",
		"nice -n5", "nice -5",
		"nice --adjustment=5", "stdbuf -oL -e 0", "stdbuf --output=L", "nohup", "setsid -w", "ionice -c 2 -n 7", "ionice -c2",
		"taskset -c 0-3",
		"chrt -f 10", "setarch -R aarch64", "linux32", "sudo -E -u a A=b", "sudo --preserve-env=A --user=a --", "doas -u a",
		"runuser -u a --",
		"xvfb-run -a -s x", "xvfb-run --auto-servernum --server-args=x", "dbus-run-session --",
		"dockerize -wait tcp://db:1 -timeout=5s",
		"env -i A=b", "env -S A=b", "env -C /app", "busybox timeout 5", "busybox nice env", "/lib/ld-linux-aarch64.so.1",
		"/lib/ld-linux-aarch64.so.1 --library-path /x --argv0 y", "/lib/ld-musl-aarch64.so.1 --",
		"nice timeout 5 stdbuf -o0 tini --",
	} {
		got := steps(t, tree, rootfs.ImageConfig{Entrypoint: append(strings.Fields(command), "/app/server", "serve")})
		if len(got) < 2 || got[len(got)-1] != "entrypoint /app/server app/server arm64 elf" {
			t.Errorf("%s: got %q", command, got)
		}
	}
	got := steps(t, tree, rootfs.ImageConfig{Entrypoint: lines{"su", "a", "-s", "/bin/sh", "-c", "exec /app/server"}})
	if len(got) != 2 || got[1] != "entrypoint /app/server app/server arm64 elf" {
		t.Errorf("su: got %q", got)
	}
}

// A command line that is not followed is reported, but arguments that name programs are still followed.
func TestNotFollowed(t *testing.T) {
	t.Parallel()
	app := "entrypoint /app/server app/server arm64 elf"
	tree := merge(t, append(userland(),
		"elf usr/bin/runner arm64", "elf sbin/supervisord arm64", "elf cnb/lifecycle/launcher arm64",
		"link cnb/process/web ../lifecycle/launcher",
		"script all /bin/sh\nset -e\n# comment\nexport A=b\nexec \"$@\"\n", "script one /bin/sh\ncd /app\nexec ./server",
		"script long /bin/sh\n"+strings.Repeat("/app/text\n", 100),
		"script if /usr/bin/env sh\nif true; then exec /app/server; fi",
		"script wait.sh /bin/bash\nwhile ! nc; do sleep 1; done", "elf bin/bash arm64",
	))
	for _, tt := range []struct {
		entrypoint, want string // want: the steps after those of the first program and its interpreter
	}{
		{"/all /app/server", app},
		{
			"/all python3 /app/server",
			"entrypoint python3 usr/bin/python3.11 arm64 elf; entrypoint python3 /app/server: not followed; " + app,
		},
		{"/one", "entrypoint ./server app/server arm64 elf"},
		{"/long /app/server", "interpreter /long: not followed; " + app},
		{"/if /app/server", "entrypoint /if: not followed; " + app},
		{"/wait.sh db:1 -- /app/server -v", "entrypoint /wait.sh: not followed; " + app},
		{"runner --flag /app/server x", app + "; entrypoint --flag /app/server x: not followed"},
		{"runner --flag serve", ""},
		{"supervisord -c /etc/x", "entrypoint supervisord -c /etc/x: not followed"},
		{"/cnb/process/web", "entrypoint /cnb/process/web: not followed"},
		{"python3", ""},
		{"python3 -m http.server", "entrypoint python3 -m http.server: not followed"},
	} {
		got := strings.Join(steps(t, tree, rootfs.ImageConfig{Entrypoint: strings.Fields(tt.entrypoint)}), "; ")
		_, rest, _ := strings.Cut(got, "; ")
		for strings.HasPrefix(rest, "interpreter /bin/") || strings.HasPrefix(rest, "interpreter /usr/bin/") ||
			strings.HasPrefix(rest, "interpreter sh ") {
			_, rest, _ = strings.Cut(rest, "; ")
		}
		if rest != tt.want {
			t.Errorf("%s: got %q, want %q", tt.entrypoint, rest, tt.want)
		}
	}
}

// Extra commands, commands in a volume, and commands in a working directory that runtimes create.
func TestCommandAround(t *testing.T) {
	t.Parallel()
	app := "entrypoint /app/server app/server arm64 elf"
	tree := merge(t, userland())
	for name, tt := range map[string]struct {
		c    rootfs.ImageConfig
		want lines
	}{
		"health check": {
			rootfs.ImageConfig{
				Entrypoint: lines{"/app/server"},
				Extra:      []rootfs.ExtraCommand{{Argv: lines{"python3"}, By: "the health check"}},
			},
			lines{app, "entrypoint python3 usr/bin/python3.11 arm64 elf"},
		},
		"missing health check": {
			rootfs.ImageConfig{Entrypoint: lines{"/app/server"}, Extra: []rootfs.ExtraCommand{{Argv: lines{"curl"}}}},
			lines{app, "entrypoint curl: not followed"},
		},
		"in a volume": {
			rootfs.ImageConfig{Entrypoint: lines{"/app/server"}, Mounts: lines{"/app/"}},
			lines{"entrypoint /app/server: not followed"},
		},
		"outside a volume": {rootfs.ImageConfig{Entrypoint: lines{"/app/server"}, Mounts: lines{"/ap"}}, lines{app}},
		"PATH in a volume": {
			rootfs.ImageConfig{Entrypoint: lines{"python3"}, Mounts: lines{"/usr/local"}},
			lines{"entrypoint python3: not followed"},
		},
		"arguments known only at run time": {
			rootfs.ImageConfig{Entrypoint: lines{"/app/server"}, Unknown: "x"},
			lines{app, "entrypoint /app/server: not followed"},
		},
		"working directory created by the runtime": {rootfs.ImageConfig{Entrypoint: lines{"/app/server"}, WorkingDir: "/srv/app"}, lines{app}},
		"a path out of it": {
			rootfs.ImageConfig{Entrypoint: lines{"../../app/server"}, WorkingDir: "/srv/x"},
			lines{"entrypoint ../../app/server app/server arm64 elf"},
		},
		"a path in it": {
			rootfs.ImageConfig{Entrypoint: lines{"./server"}, WorkingDir: "/srv/app"},
			lines{"entrypoint ./server: missing"},
		},
	} {
		if got := steps(t, tree, tt.c); !slices.Equal(got, tt.want) {
			t.Errorf("%s: got %q, want %q", name, got, tt.want)
		}
	}
}

func TestCommandEnds(t *testing.T) {
	t.Parallel()
	chain := lines{"elf s0 arm64"}
	for i := range 6 {
		chain = append(chain, fmt.Sprintf("script s%d /s%d", i+1, i))
	}
	tree := merge(t, append(chain, "script self /self", "script c /bin/sh -c", "elf bin/sh arm64"))
	got := steps(t, tree, rootfs.ImageConfig{Entrypoint: lines{"/s5"}})
	if len(got) != 7 || got[5] != "interpreter /s0 s0 arm64 elf" || got[6] != "interpreter /s5: not followed" {
		t.Errorf("5 #! lines: got %q", got)
	}
	for _, name := range []string{"/s6", "/self"} {
		got = steps(t, tree, rootfs.ImageConfig{Entrypoint: lines{name}})
		if len(got) != 7 || !strings.HasSuffix(got[6], ": loop") {
			t.Errorf("%s, more #! lines: got %q", name, got)
		}
	}
	got = steps(t, tree, rootfs.ImageConfig{Entrypoint: lines{"/c"}}) // a shell that runs the script that starts the shell
	if len(got) != 33 || !strings.HasSuffix(got[32], ": not followed") {
		t.Errorf("a script that starts itself: got %d steps, the last %q", len(got), got[len(got)-1])
	}
}

func TestCommandRefuses(t *testing.T) {
	t.Parallel()
	tree := merge(t, userland())
	if _, err := tree.Command(rootfs.ImageConfig{Env: lines{"PATH=/bin"}}); !errors.Is(err, rootfs.ErrNoCommand) {
		t.Errorf("no command: got %v, want %v", err, rootfs.ErrNoCommand)
	}
	if _, err := tree.Command(rootfs.ImageConfig{OS: "windows", Cmd: lines{"cmd"}}); !errors.Is(err,
		rootfs.ErrNotFollowed) {
		t.Errorf("windows: got %v, want %v", err, rootfs.ErrNotFollowed)
	}
}

func TestCommandInGaps(t *testing.T) {
	t.Parallel()
	top := lines{"elf app/server arm64", "elf app/dynamic arm64 /lib/ld.so", "hard app/linked usr/app"}
	tree := merge(t, nil, top)
	tests := map[string]lines{
		"/app/server":  {"entrypoint /app/server app/server arm64 elf"},
		"/app/dynamic": {"entrypoint /app/dynamic app/dynamic arm64 elf", "loader /lib/ld.so: unread"},
		"/app/linked":  {"entrypoint /app/linked: unread"},
		"server":       {"entrypoint server: unread"}, // the unread layer may have one in a directory before /app
	}
	for name, want := range tests {
		c := rootfs.ImageConfig{Entrypoint: lines{name}, Env: lines{"PATH=/bin:/app"}}
		if got := steps(t, tree, c); !slices.Equal(got, want) {
			t.Errorf("%s: got %q, want %q", name, got, want)
		}
	}
	whole := merge(t, lines{"elf lib/ld.so arm64", "elf usr/app arm64"}, top)
	if got, want := steps(t, whole, rootfs.ImageConfig{Entrypoint: lines{"/app/dynamic"}}), (lines{
		"entrypoint /app/dynamic app/dynamic arm64 elf", "loader /lib/ld.so lib/ld.so arm64 elf",
	}); !slices.Equal(got, want) {
		t.Errorf("with all layers: got %q, want %q", got, want)
	}
}
