#!/bin/sh
# Runs every fuzz target of the module, each as long as $1 says (30s), as many at a time as there are processors.
#
#   testdata/fuzz.sh 10m      guided by what an input reaches in all code, libraries included: takes minutes to build
#   testdata/fuzz.sh 1s ours  guided by this module's code alone: takes seconds to build
set -eu
cd "$(dirname "$0")/.."

# raced LOG: is the end of the time all that failed? Go before 1.27 takes it for a failure when the coordinator notices it before
# the workers do: https://go.dev/issue/75804. What an input did wrong is told in more lines.
raced() {
	[ "$(sed -n '/^--- FAIL: /,$p' "$1" | grep -vE '^(--- FAIL: .*|FAIL|exit status [0-9]+)$')" = "    context deadline exceeded" ]
}

# fuzz DURATION CORPUS TARGET BINARY PACKAGE DIR. The status 255 keeps xargs from starting another one.
fuzz() {
	log=$4.$3.log
	for _ in 1 2 3; do
		status=0
		(cd "$6" && "$4" -test.run='^$' -test.fuzz="^$3\$" -test.fuzztime="$1" -test.fuzzminimizetime=1s -test.parallel=1 \
			-test.fuzzcachedir="$2/$5") </dev/null >"$log" 2>&1 || status=$?
		printf 'fuzzing %s in %s\n%s\n' "$3" "$5" "$(tail -n 30 "$log")" # the last lines have what failed
		[ "$status" != 0 ] || return 0
		raced "$log" || return 255
		echo "the fuzzing engine's known race at its deadline: trying again"
	done
	return 255
}

if [ "${1:-}" = target ]; then # what this script starts itself with
	read -r target binary package dir <<-END
		$4
	END
	fuzz "$2" "$3" "$target" "$binary" "$package" "$dir"
	exit
fi

duration=${1:-30s}
guide=-fuzz=Fuzz
[ "${2:-}" != ours ] || guide=-gcflags=$(go list -m)/...=-d=libfuzzer
corpus=$(go env GOCACHE)/fuzz # where go test -fuzz keeps interesting inputs
built=$(mktemp -d)
trap 'rm -rf "$built"' EXIT

go list -f '{{if or .TestGoFiles .XTestGoFiles}}{{.ImportPath}} {{.Dir}}{{end}}' ./... >"$built/packages"
{ # the targets of one package run while the next is compiled
	while read -r package dir; do
		targets=$(sed -n 's/^func \(Fuzz[A-Za-z0-9_]*\)(.*/\1/p' "$dir"/*_test.go)
		[ -n "$targets" ] || continue
		binary=$built/$(echo "$package" | tr / -)
		go test -c "$guide" -o "$binary" "$package"
		for target in $targets; do echo "$target $binary $package $dir"; done
	done <"$built/packages"
	touch "$built/all"
} | xargs -r -d '\n' -n 1 -P "$(nproc)" sh testdata/fuzz.sh target "$duration" "$corpus"
[ -e "$built/all" ]
