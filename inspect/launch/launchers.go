package launch

// launcher describes the command line of a program that starts another: OPTIONS WORDS… COMMAND….
type launcher struct {
	names      string // separated by blanks
	flags      string // options without a value, single letters
	valued     string // options with a value, single letters
	long       string // options with two dashes and without a value
	longValued string // those with a value, after "=" or in the next word
	oneDash    bool   // long options have one dash, like Go's flags
	assigns    bool   // NAME=value may precede the command
	arguments  int    // the number of words before the command, such as gosu's user
}

// launchers is a function, so that the table can't be changed.
func launchers() []launcher {
	return []launcher{
		// https://github.com/krallin/tini
		{names: "tini tini-static docker-init", flags: "svwglh", valued: "pe"},
		// https://github.com/Yelp/dumb-init
		{names: "dumb-init", flags: "cv", valued: "r", long: "single-child verbose", longValued: "rewrite"},
		{names: "catatonit", flags: "g"}, // https://github.com/openSUSE/catatonit
		// https://github.com/tianon/gosu, https://github.com/ncopa/su-exec
		{names: "gosu su-exec", arguments: 1},
		{names: "s6-setuidgid setuidgid", arguments: 1},              // https://skarnet.org/software/s6/s6-setuidgid.html
		{names: "with-contenv s6-envdir envdir", arguments: 0},       // of s6-overlay and daemontools
		{names: "chpst", flags: "vP012", valued: "uUb/nlLmdopfcrte"}, // http://smarden.org/runit/chpst.8.html
		// https://man7.org/linux/man-pages/man1/setpriv.1.html
		{
			names: "setpriv", flags: "d", long: "clear-groups keep-groups init-groups no-new-privs nnp reset-env",
			longValued: `reuid regid ruid rgid euid egid groups inh-caps ambient-caps bounding-set securebits pdeathsig ptracer
				selinux-label apparmor-profile landlock-access landlock-rule seccomp-filter`,
		},
		// https://www.gnu.org/software/coreutils/manual/coreutils.html
		{
			names: "timeout", flags: "fpv", valued: "ks", long: "foreground preserve-status verbose",
			longValued: "kill-after signal", arguments: 1,
		},
		{names: "nice", flags: "0123456789", valued: "n", longValued: "adjustment"},
		{names: "stdbuf", valued: "ioe", longValued: "input output error"},
		{names: "nohup"},
		// util-linux
		{names: "setsid", flags: "cfw", long: "ctty fork wait"},
		{names: "ionice", flags: "t", valued: "cn", long: "ignore", longValued: "class classdata"},
		{names: "taskset", flags: "ac", long: "all-tasks cpu-list", arguments: 1},
		{names: "chrt", flags: "abdfiomrv", valued: "TPD", arguments: 1},
		{names: "setarch", flags: "vBFILRSTXZ3", arguments: 1},
		{names: "linux32 linux64", flags: "vBFILRSTXZ3"},
		// https://www.sudo.ws/docs/man/sudo.man/
		{
			names: "sudo", flags: "ABbEHiKkNnPSVs", valued: "CDghpRrTtUu", assigns: true,
			long:       "askpass background preserve-env login set-home non-interactive preserve-groups stdin shell",
			longValued: "chdir close-from group host prompt role type user other-user chroot command-timeout",
		},
		{names: "doas", flags: "ns", valued: "uC"},
		{
			names: "xvfb-run", flags: "al", valued: "efnpsw", long: "auto-servernum listen-tcp",
			longValued: "error-file auth-file server-num xauth-protocol server-args wait",
		},
		{names: "dbus-run-session", longValued: "config-file dbus-daemon"},
		// https://github.com/jwilder/dockerize
		{
			names: "dockerize", oneDash: true, long: "skip-tls-verify no-overwrite multiline poll exit-code-success",
			longValued: "wait timeout wait-retry-interval wait-http-header template stdout stderr env env-section delims validate-cert",
		},
	}
}

// ldso describes the loader as a program: https://man7.org/linux/man-pages/man8/ld.so.8.html
func ldso() launcher {
	return launcher{
		long:       "inhibit-cache list verify",
		longValued: "library-path preload audit argv0 inhibit-rpath glibc-hwcaps-prepend glibc-hwcaps-mask",
	}
}
