#!/bin/sh
# Runs every fuzz target of the module, one after the other, each as long as $1 says (30s).
#
#   testdata/fuzz.sh 10m      guided by what an input reaches in all code, libraries included: takes minutes to build
#   testdata/fuzz.sh 1s ours  guided by this module's code alone: takes seconds to build
set -eu
cd "$(dirname "$0")/.."
duration=${1:-30s}
guide=-fuzz=Fuzz
[ "${2:-}" != ours ] || guide=-gcflags=$(go list -m)/...=-d=libfuzzer
corpus=$(go env GOCACHE)/fuzz # where go test -fuzz keeps what it finds interesting
built=$(mktemp -d)
trap 'rm -rf "$built"' EXIT

# fuzz PACKAGE DIR TARGET
fuzz() {
	echo "fuzzing $3 in $1"
	for _ in 1 2 3; do
		status=0
		(cd "$2" && "$built/test" -test.run='^$' -test.fuzz="^$3\$" -test.fuzztime="$duration" -test.fuzzminimizetime=1s \
			-test.fuzzcachedir="$corpus/$1") </dev/null >"$built/log" 2>&1 || status=$?
		tail -n 30 "$built/log" # the last lines have what failed
		[ "$status" != 0 ] || return 0
		raced || return "$status"
		echo "the time was over at an unlucky moment: once more"
	done
	return "$status"
}

# raced: is the end of the time all that failed? Go before 1.27 takes it for a failure when the coordinator notices it before
# the workers do: https://go.dev/issue/75804. What an input did wrong is told in more lines.
raced() {
	[ "$(sed -n '/^--- FAIL: /,$p' "$built/log" | grep -vE '^(--- FAIL: .*|FAIL|exit status [0-9]+)$')" = "    context deadline exceeded" ]
}

go list -f '{{if or .TestGoFiles .XTestGoFiles}}{{.ImportPath}} {{.Dir}}{{end}}' ./... >"$built/packages"
while read -r package dir; do
	targets=$(sed -n 's/^func \(Fuzz[A-Za-z0-9_]*\)(.*/\1/p' "$dir"/*_test.go)
	[ -n "$targets" ] || continue
	go test -c "$guide" -o "$built/test" "$package"
	for target in $targets; do fuzz "$package" "$dir" "$target"; done
done <"$built/packages"
