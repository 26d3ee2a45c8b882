#!/bin/sh
# Runs the first example of README.md word by word: it builds an image for two platforms, publishes it to a registry that runs
# during the demo, and checks it there; then it builds an image that lies. Each command is printed with its purpose. All files
# are in a temporary folder, which is deleted at the end. `make demo` builds mtool and runs this.
set -eu
cd "$(dirname "$0")/.."
PATH=$PWD/.bin:$PWD/.deps/qemu/usr/bin:$PATH
work=$(mktemp -d "${TMPDIR:-/tmp}/mtool-demo.XXXXXX")
export MTOOL_HOME="$work/home"
registry=

finish() {
	status=$?
	trap - EXIT
	if [ -n "$registry" ]; then
		kill "$registry" 2>/dev/null || :
		wait "$registry" 2>/dev/null || :
	fi
	# In an ordinary user's build cache some folders belong to subordinate ids: only a user namespace can delete them.
	rm -rf "$work" 2>/dev/null || unshare --user --map-auto --map-root-user rm -rf "$work" ||
		echo "demo.sh: could not delete $work" >&2
	exit "$status"
}
trap finish EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

# serve COMMAND…: starts a server that runs until the demo ends, and waits until it prints its address.
serve() {
	: >"$work/address"
	"$@" >"$work/address" 2>"$work/serve.log" &
	registry=$!
	while [ ! -s "$work/address" ]; do
		if ! kill -0 "$registry" 2>/dev/null; then
			registry=
			cat "$work/serve.log" >&2
			return 1
		fi
		sleep 0.1
	done
	cat "$work/serve.log" "$work/address"
}

# The commands with their purposes.
awk '/^```console$/ { on = 1; next } /^```$/ { if (on) exit } on && sub(/^\$ /, "")' README.md >"$work/commands"
steps=$(wc -l <"$work/commands")
step=0
host=127.0.0.1:5000
while IFS= read -r line <&3; do
	step=$((step + 1))
	command=$(printf '%s\n' "${line%%  # *}" | sed "s/127\.0\.0\.1:5000/$host/; s/ *\$//")
	printf '\n== %s of %s: %s\n$ %s\n' "$step" "$steps" "${line##*  # }" "$command"
	case $command in
	*' &') # on another port if this one is in use
		# shellcheck disable=SC2086 # the command's words
		serve ${command% &} || serve ${command% &} --listen 127.0.0.1:0
		host=$(cat "$work/address")
		continue
		;;
	esac
	wanted=0
	case $line in *'exit code 3'*) wanted=3 ;; esac
	status=0
	sh -c "$command" 2>&1 </dev/null || status=$?
	[ "$status" = "$wanted" ] || { echo "demo.sh: exit code $status, not $wanted" >&2 && exit 1; }
	[ "$status" = 0 ] || echo "exit code $status"
done 3<"$work/commands"
