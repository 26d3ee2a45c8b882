#!/bin/sh
# The main job from beginning to end: one program built into images for three architectures, merged into one list, published
# to a registry that runs only as long as the demo, and checked there. Every command is shown with what it prints. What the
# demo makes is in one temporary folder and goes with it. `make demo` runs it with mtool, the
# program and the registry built.
set -eu
cd "$(dirname "$0")/.."
PATH=$PWD/.bin:$PWD/.deps/bin:$PWD/.deps/qemu/usr/bin:$PATH
work=$(mktemp -d "${TMPDIR:-/tmp}/mtool-demo.XXXXXX")
registry=

finish() {
	status=$?
	trap - EXIT
	if [ -n "$registry" ]; then
		kill "$registry" 2>/dev/null || :
		wait "$registry" 2>/dev/null || :
	fi
	# Of an ordinary user's build state some folders belong to subordinate ids, and only that user's namespace may delete them.
	rm -rf "$work" 2>/dev/null || unshare --user --map-auto --map-root-user rm -rf "$work" ||
		echo "demo.sh: could not delete $work" >&2
	exit "$status"
}
trap finish EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

# start_registry: the kernel picks the port, and the registry's log tells it.
start_registry() {
	cat >"$work/registry.yml" <<-END
		version: 0.1
		storage: {filesystem: {rootdirectory: $work/registry}}
		http: {addr: "127.0.0.1:0"}
	END
	OTEL_TRACES_EXPORTER=none registry serve "$work/registry.yml" >"$work/registry.log" 2>&1 &
	registry=$!
	for _ in $(seq 3000); do
		host=$(sed -n 's/.*listening on \(127\.0\.0\.1:[0-9]*\).*/\1/p' "$work/registry.log")
		[ -z "$host" ] || return 0
		sleep 0.1
	done
	echo "demo.sh: the registry does not start:" >&2
	cat "$work/registry.log" >&2
	return 1
}

show() {
	printf '\n$ %s\n' "$*"
	"$@" 2>&1
}

cp -r .bin/app "$work/app"
start_registry
export MTOOL_HOME="$work/home"
cd "$work"

show mtool build --arch amd64 -t demo:v1-amd64 ./app
show mtool build --arch arm64 -t demo:v1-arm64 ./app
show mtool build --arch arm/v7 -t demo:v1-armv7 ./app
show mtool create demo:v1 --amend demo:v1-amd64 --amend demo:v1-arm64 --amend demo:v1-armv7
show mtool annotate demo:v1 --annotation org.opencontainers.image.title=demo
show mtool push demo:v1 "$host/demo:v1"
show mtool inspect --deep --require linux/amd64,linux/arm64,linux/arm/v7 "$host/demo:v1"
