package buildcontext

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// hostile is a repository that tries to get the program evil started. The program creates the file mark.
type hostile struct {
	t                   *testing.T
	home, dir           string
	evil, mark, outside string
}

func newHostile(t *testing.T) hostile {
	t.Helper()
	top, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	h := hostile{
		t: t, home: filepath.Join(top, "home"), dir: filepath.Join(top, "repo"), evil: filepath.Join(top, "evil"),
		mark: filepath.Join(top, "mark"), outside: filepath.Join(top, "outside"),
	}
	for _, dir := range []string{h.home, h.dir, h.outside} {
		if err := os.Mkdir(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	h.write(h.evil, "#!/bin/sh\n: >"+h.mark+"\n")
	h.must("init", "-q", "-b", "main")
	h.write("f", "text\n")
	h.must("add", ".")
	h.must("commit", "-q", "-m", "first")
	return h
}

// plain runs git as a user would, without our protections.
func (h hostile) plain(args ...string) (string, error) {
	ctx, cancel := context.WithTimeout(h.t.Context(), 10*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, "git", args...)
	cmd.Dir, cmd.WaitDelay, cmd.Stdin = h.dir, time.Second, strings.NewReader("protocol=https\nhost=x.invalid\n\n")
	cmd.Env = []string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + h.home, "GIT_CONFIG_NOSYSTEM=1", "GIT_TERMINAL_PROMPT=0",
		"GIT_AUTHOR_NAME=a", "GIT_AUTHOR_EMAIL=a@b", "GIT_COMMITTER_NAME=a", "GIT_COMMITTER_EMAIL=a@b",
		"GIT_COMMITTER_DATE=1700000000 +0000",
	}
	out, err := cmd.CombinedOutput()
	if ctx.Err() != nil {
		err = ctx.Err()
	}
	return string(out), err
}

func (h hostile) must(args ...string) string {
	h.t.Helper()
	out, err := h.plain(args...)
	if err != nil {
		h.t.Fatalf("git %q: %v: %s", args, err, out)
	}
	return strings.TrimSpace(out)
}

func (h hostile) write(name, text string) {
	h.t.Helper()
	if !filepath.IsAbs(name) {
		name = filepath.Join(h.dir, name)
	}
	err := errors.Join(os.MkdirAll(filepath.Dir(name), 0o755), os.WriteFile(name, []byte(text), 0o755))
	if err != nil {
		h.t.Fatal(err)
	}
}

// config sets each NAME=VALUE in the repository's configuration. EVIL stands for the path of the program.
func (h hostile) config(settings ...string) {
	h.t.Helper()
	for _, s := range settings {
		name, value, _ := strings.Cut(s, "=")
		h.must("config", name, strings.ReplaceAll(value, "EVIL", h.evil))
	}
}

func (h hostile) remove(name string) {
	h.t.Helper()
	if err := os.Remove(filepath.Join(h.dir, name)); err != nil {
		h.t.Fatal(err)
	}
}

// attributes commits .gitattributes and a file x.bin for it to match.
func (h hostile) attributes(text string) {
	h.t.Helper()
	h.write(".gitattributes", text)
	h.write("x.bin", "text\n")
	h.must("add", ".")
	h.must("commit", "-q", "-m", "attributes")
}

// signed makes HEAD a commit with a signature header of this kind.
func (h hostile) signed(kind string) {
	h.t.Helper()
	tree, commit := h.must("rev-parse", "HEAD^{tree}"), filepath.Join(h.outside, "commit")
	h.write(commit,
		"tree "+tree+"\nauthor a <a@b> 1700000000 +0000\ncommitter a <a@b> 1700000000 +0000\ngpgsig -----BEGIN "+kind+
			"-----\n \n aGVsbG8=\n -----END "+kind+"-----\n\nsigned\n")
	h.must("update-ref", "refs/heads/main", h.must("hash-object", "-t", "commit", "-w", commit))
}

// bare writes a bare repository into dir as ordinary files, which can be committed. The commit of its HEAD is missing.
func (h hostile) bare(dir, config string) {
	h.t.Helper()
	h.write(dir+"/HEAD", "ref: refs/heads/main\n")
	h.write(dir+"/objects/info/keep", "")
	h.write(dir+"/refs/heads/main", strings.Repeat("1", 40)+"\n")
	h.write(dir+"/config", strings.ReplaceAll(config, "EVIL", h.evil))
}

const promisor = "[core]\n\trepositoryformatversion = 1\n\tbare = true\n[extensions]\n\tpartialClone = origin\n[remote \"origin\"]\n\tpromisor = true\n"

// attack is a way to get evil started, with the git command that falls for it. The command runs in sub.
type attack struct {
	make  func(hostile)
	plain []string
	sub   string
}

var attacks = map[string]attack{
	"a monitor": {func(h hostile) { h.config("core.fsmonitor=EVIL") }, []string{"status"}, ""},
	"a signature": {
		func(h hostile) { h.signed("PGP SIGNATURE"); h.config("gpg.program=EVIL", "log.showSignature=true") },
		[]string{"log", "-1"},
		"",
	},
	"an SSH signature": {func(h hostile) {
		h.signed("SSH SIGNATURE")
		h.config("gpg.ssh.program=EVIL", "gpg.ssh.allowedSignersFile=/dev/null", "log.showSignature=true")
	}, []string{"log", "-1"}, ""},
	"an X.509 signature": {func(h hostile) {
		h.signed("SIGNED MESSAGE")
		h.config("gpg.x509.program=EVIL", "log.showSignature=true")
	}, []string{"log", "-1"}, ""},
	"a smudge filter": {func(h hostile) {
		h.attributes("*.bin filter=x\n")
		h.config("filter.x.smudge=EVIL")
		h.remove("x.bin")
	}, []string{"checkout-index", "-f", "x.bin"}, ""},
	"a clean filter": {func(h hostile) {
		h.attributes("*.bin filter=x\n")
		h.config("filter.x.clean=EVIL")
		h.write("x.bin", "new\n")
	}, []string{"diff"}, ""},
	"a filter process": {func(h hostile) {
		h.attributes("*.bin filter=x\n")
		h.config("filter.x.process=EVIL")
		h.remove("x.bin")
	}, []string{"checkout-index", "-f", "x.bin"}, ""},
	"attributes in .git/info": {func(h hostile) {
		h.write(".git/info/attributes", "f filter=x\n")
		h.config("filter.x.smudge=EVIL")
		h.remove("f")
	}, []string{"checkout-index", "-f", "f"}, ""},
	"a text conversion": {
		func(h hostile) { h.attributes("*.bin diff=x\n"); h.config("diff.x.textconv=EVIL") },
		[]string{"log", "-p", "-1"},
		"",
	},
	"a diff program": {func(h hostile) { h.write("f", "new\n"); h.config("diff.external=EVIL") }, []string{"diff"}, ""},
	"a diff driver": {func(h hostile) {
		h.attributes("*.bin diff=x\n")
		h.write("x.bin", "new\n")
		h.config("diff.x.command=EVIL")
	}, []string{"diff"}, ""},
	"a hook": {
		func(h hostile) { h.write(".git/hooks/post-checkout", "#!/bin/sh\n"+h.evil+"\n") },
		[]string{"checkout", "-q", "--detach"},
		"",
	},
	"hooks in the tree": {func(h hostile) {
		h.write("own/post-checkout", "#!/bin/sh\n"+h.evil+"\n")
		h.config("core.hooksPath=own")
	}, []string{"checkout", "-q", "--detach"}, ""},
	"a reference hook": {
		func(h hostile) { h.write(".git/hooks/reference-transaction", "#!/bin/sh\n"+h.evil+"\n") },
		[]string{"tag", "x"},
		"",
	},
	"included settings": {func(h hostile) {
		h.write("settings", "[core]\n\tfsmonitor = "+h.evil+"\n")
		h.config("include.path=../settings")
	}, []string{"status"}, ""},
	"settings by directory": {func(h hostile) {
		h.write("settings", "[core]\n\tfsmonitor = "+h.evil+"\n")
		h.config("includeIf.gitdir:**.path=../settings")
	}, []string{"status"}, ""},
	"settings of the worktree": {func(h hostile) {
		h.config("extensions.worktreeConfig=true")
		h.write(".git/config.worktree", "[core]\n\tfsmonitor = "+h.evil+"\n")
	}, []string{"status"}, ""},
	"a remote command": {
		func(h hostile) { h.config("remote.origin.url=ext::EVIL", "protocol.ext.allow=always") },
		[]string{"fetch"},
		"",
	},
	"an SSH command": {
		func(h hostile) { h.config("remote.origin.url=ssh://x/y", "core.sshCommand=EVIL") },
		[]string{"fetch"},
		"",
	},
	"an upload program": {
		func(h hostile) { h.config("remote.origin.url=.", "remote.origin.uploadpack=EVIL") },
		[]string{"fetch"},
		"",
	},
	"a proxy": {
		func(h hostile) { h.config("remote.origin.url=git://x.invalid/y", "core.gitProxy=EVIL") },
		[]string{"fetch"},
		"",
	},
	"a credential helper": {func(h hostile) { h.config("credential.helper=EVIL") }, []string{"credential", "fill"}, ""},
	"a submodule's update": {func(h hostile) {
		commit := h.must("rev-parse", "HEAD")
		h.must("update-index", "--add", "--cacheinfo", "160000,"+commit+",sub")
		h.write(".gitmodules", "[submodule \"sub\"]\n\tpath = sub\n\turl = ./x\n")
		h.must("add", ".gitmodules")
		h.must("commit", "-q", "-m", "submodule")
		h.must("clone", "-q", h.dir, filepath.Join(h.outside, "sub"))
		if err := os.Rename(filepath.Join(h.outside, "sub"), filepath.Join(h.dir, "sub")); err != nil {
			h.t.Fatal(err)
		}
		h.must("-C", "sub", "checkout", "-q", "--orphan", "other")
		h.must("-C", "sub", "commit", "-q", "-m", "other")
		h.config("submodule.sub.url=./x", "submodule.sub.update=!EVIL")
	}, []string{"submodule", "update"}, ""},
	"an alias": {func(h hostile) { h.config("alias.last=!EVIL") }, []string{"last"}, ""},
	"a commit to fetch by a command": {func(h hostile) {
		h.bare("app", promisor+"\turl = \"ext::EVIL\"\n[protocol \"ext\"]\n\tallow = always\n")
	}, []string{"log", "-1"}, "app"},
	"a commit to fetch by an upload program": {
		func(h hostile) { h.bare("app", promisor+"\turl = .\n\tuploadpack = EVIL\n") },
		[]string{"log", "-1"},
		"app",
	},
	"a commit to fetch by SSH": {func(h hostile) {
		h.bare("app", strings.Replace(promisor, "[core]\n", "[core]\n\tsshCommand = EVIL\n", 1)+"\turl = ssh://x/y\n")
	}, []string{"log", "-1"}, "app"},
	"files that are a repository": {func(h hostile) {
		h.bare("app", "[core]\n\trepositoryformatversion = 0\n\tbare = false\n\tworktree = .\n\tfsmonitor = EVIL\n")
	}, []string{"status"}, "app"},
	"a file that names a repository": {func(h hostile) {
		h.bare("app/meta", "[core]\n\trepositoryformatversion = 0\n\tbare = false\n\tfsmonitor = EVIL\n")
		h.write("app/.git", "gitdir: meta\n")
	}, []string{"status"}, "app"},
	"a link to a repository": {func(h hostile) {
		h.bare("app/meta", "[core]\n\trepositoryformatversion = 0\n\tbare = false\n\tfsmonitor = EVIL\n")
		if err := os.Symlink("meta", filepath.Join(h.dir, "app", ".git")); err != nil {
			h.t.Fatal(err)
		}
	}, []string{"status"}, "app"},
}

func (h hostile) acted() bool {
	err := os.Remove(h.mark)
	return err == nil
}

// No setting of a repository starts a program, neither for the time of its commit nor when it is the context.
func TestHostileRepositories(t *testing.T) {
	t.Parallel()
	if len(attacks) < 20 {
		t.Fatalf("only %d attacks", len(attacks))
	}
	for name, a := range attacks {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHostile(t)
			a.make(h)
			h.acted()
			when, err := CommitTime(t.Context(), filepath.Join(h.dir, a.sub))
			if named := strings.HasPrefix(name, "a file that") ||
				strings.HasPrefix(name, "a link to"); (err != nil || when != "1700000000") != named {
				t.Errorf("the time of the commit: %q, %v", when, err)
			}
			if h.acted() {
				t.Error("finding the time of the commit started the program")
			}
			c, err := Open(t.Context(), "file://"+filepath.Join(h.dir, ".git"), Options{})
			if err != nil {
				t.Logf("as a context: %v", err)
			}
			if h.acted() {
				t.Error("fetching the context started the program")
			}
			_ = c.Close()
			plain := append([]string{"-C", filepath.Join(h.dir, a.sub)}, a.plain...)
			if out, err := h.plain(plain...); !h.acted() {
				t.Errorf("git %q does not start the program either, so this test proves nothing: %v: %s", a.plain, err, out)
			}
		})
	}
}

// A pipe in place of a repository's file is an error; reading does not block.
func TestPipesInRepositories(t *testing.T) {
	t.Parallel()
	for name, path := range map[string]func(hostile) string{
		"HEAD":     func(hostile) string { return ".git/HEAD" },
		"a branch": func(hostile) string { return ".git/refs/heads/main" },
		"a pack":   func(hostile) string { return ".git/objects/pack/pack-" + strings.Repeat("1", 40) + ".idx" },
		"the commit": func(h hostile) string {
			id := h.must("rev-parse", "HEAD")
			return ".git/objects/" + id[:2] + "/" + id[2:]
		},
		"the file git": func(hostile) string { return "app/.git" },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHostile(t)
			h.write("app/x", "")
			pipe := filepath.Join(h.dir, path(h))
			_ = os.Remove(pipe)
			if out, err := exec.CommandContext(t.Context(), "mkfifo", pipe).CombinedOutput(); err != nil {
				t.Fatalf("%v: %s", err, out)
			}
			ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
			defer cancel()
			if when, err := CommitTime(ctx, filepath.Join(h.dir, "app")); err == nil || ctx.Err() != nil {
				t.Errorf("the time of the commit: %q, %v", when, err)
			}
			if c, err := Open(ctx, "file://"+filepath.Join(h.dir, ".git"), Options{}); ctx.Err() != nil {
				t.Errorf("as a context: %v", err)
			} else {
				_ = c.Close()
			}
		})
	}
}

// Working trees and submodules are found where Git keeps them. A .git file that names any other repository is refused.
func TestRepositoriesElsewhere(t *testing.T) {
	t.Parallel()
	h := newHostile(t)
	tree, packed := filepath.Join(h.outside, "tree"), filepath.Join(h.outside, "packed")
	h.must("worktree", "add", "-q", "--detach", tree)
	h.must("clone", "-q", h.dir, packed)
	h.must("-C", packed, "pack-refs", "--all")
	h.must("-C", packed, "repack", "-adq")
	h.must("-c", "protocol.file.allow=always", "submodule", "--quiet", "add", packed, "sub")
	theirs := filepath.Join(h.outside, "theirs")
	h.must("clone", "-q", "--no-hardlinks", h.dir, theirs)
	giveAway(t, theirs)
	modern := filepath.Join(h.outside, "modern")
	h.must("init", "-q", "--object-format=sha256", modern)
	h.must("-C", modern, "commit", "-q", "--allow-empty", "-m", "first")
	shared := filepath.Join(h.outside, "shared")
	h.must("clone", "-q", "--shared", h.dir, shared)
	for dir, want := range map[string]bool{
		h.dir: true, tree: true, packed: true, theirs: true, modern: true,
		filepath.Join(h.dir, "sub"): true, shared: false,
	} {
		if when, err := CommitTime(t.Context(), dir); (err == nil) != want || want && when != "1700000000" {
			t.Errorf("%s: %q, %v", dir, when, err)
		}
	}
	for name, text := range map[string]string{
		"another repository":   "gitdir: " + filepath.Join(h.dir, ".git") + "\n",
		"another working tree": "gitdir: " + filepath.Join(h.dir, ".git/worktrees/tree") + "\n",
		"nothing":              "gitdir:\n", "no directory": "gitdir: /nowhere\n", "no such file": "root:x:0:0\n",
	} {
		dir := filepath.Join(h.outside, name)
		h.write(filepath.Join(dir, ".git"), text)
		if when, err := CommitTime(t.Context(), dir); err == nil || strings.Contains(err.Error(), "root:x") {
			t.Errorf("%s: %q, %v", name, when, err)
		}
	}
	if _, err := CommitTime(t.Context(), h.outside); err == nil {
		t.Error("a directory in no repository has a commit")
	}
}

// A submodule's address must be on the network: commands and directories of this machine are refused, whatever the
// user's Git configuration allows.
func TestHostileSubmodules(t *testing.T) {
	for name, address := range map[string]string{
		"a command": "ext::EVIL", "a directory": "file://PRIVATE",
		"a path": "PRIVATE", "a helper": "evil::x",
	} {
		h := newHostile(t)
		private := filepath.Join(h.outside, "private")
		h.must("clone", "-q", h.dir, private)
		address = strings.NewReplacer("EVIL", h.evil, "PRIVATE", private).Replace(address)
		h.must("update-index", "--add", "--cacheinfo", "160000,"+h.must("rev-parse", "HEAD")+",sub")
		h.write(".gitmodules", "[submodule \"sub\"]\n\tpath = sub\n\turl = "+address+"\n")
		h.must("add", ".gitmodules")
		h.must("commit", "-q", "-m", "submodule")
		h.write(filepath.Join(h.outside, "git-remote-evil"), "#!/bin/sh\n"+h.evil+"\n")
		h.write(filepath.Join(h.home, ".gitconfig"), "[protocol]\n\tallow = always\n")
		t.Setenv("HOME", h.home)
		t.Setenv("PATH", h.outside+":"+os.Getenv("PATH"))
		c, err := Open(t.Context(), "file://"+filepath.Join(h.dir, ".git"), Options{})
		if err == nil || h.acted() {
			t.Errorf("%s: %v, or the program was started", name, err)
		}
		_ = c.Close()
		out, err := h.plain("clone", "-q", "--recurse-submodules", h.dir, filepath.Join(h.outside, "clone"))
		if _, statErr := os.Stat(filepath.Join(h.outside, "clone", "sub", "f")); statErr != nil && !h.acted() {
			t.Errorf("%s: git clone does not fall for it either, so this test proves nothing: %v: %s", name, err, out)
		}
	}
}

// giveAway gives dir to another user, if this user may. Git refuses to read a repository of another user.
func giveAway(t *testing.T, dir string) {
	t.Helper()
	if os.Getuid() != 0 {
		return
	}
	const nobody = 65534
	err := filepath.WalkDir(dir, func(path string, _ fs.DirEntry, err error) error {
		return errors.Join(err, os.Lchown(path, nobody, nobody))
	})
	if err != nil {
		t.Fatal(err)
	}
}

// The user's own Git settings don't apply to a foreign repository: no filters, no hooks in its tree, no GIT_DIR of the
// environment.
func TestUsersSettings(t *testing.T) {
	h := newHostile(t)
	h.attributes("*.bin filter=lfs\n")
	h.write("own/post-checkout", "#!/bin/sh\n"+h.evil+"\n")
	h.must("add", ".")
	h.must("commit", "-q", "-m", "hook")
	victim := filepath.Join(h.outside, "victim")
	h.must("init", "-q", victim)
	for name, setting := range map[string]string{
		"filter":  "[filter \"lfs\"]\n\tsmudge = " + h.evil + "\n\trequired = true\n",
		"process": "[filter \"lfs\"]\n\tprocess = " + h.evil + "\n",
		"hooks":   "[core]\n\thooksPath = own\n",
	} {
		h.write(filepath.Join(h.home, ".gitconfig"), setting)
		t.Setenv("HOME", h.home)
		t.Setenv("GIT_DIR", filepath.Join(victim, ".git"))
		noted := ""
		c, err := Open(t.Context(), "file://"+filepath.Join(h.dir, ".git"), Options{Note: func(s string) { noted = s }})
		if err != nil || h.acted() || !strings.Contains(noted, "filters") {
			t.Errorf("%s: %v, %q, or the program was started", name, err, noted)
		}
		if body, err := os.ReadFile(filepath.Join(c.Dir, "x.bin")); string(body) != "text\n" {
			t.Errorf("%s: %q, %v", name, body, err)
		}
		_ = c.Close()
		if _, _ = h.plain("clone", "-q", h.dir, filepath.Join(h.outside, name)); !h.acted() {
			t.Errorf("%s: git clone does not start the program either, so this test proves nothing", name)
		}
		if _, err := os.Stat(filepath.Join(victim, ".git", "FETCH_HEAD")); err == nil {
			t.Errorf("%s: the repository of GIT_DIR was fetched into", name)
		}
	}
}
