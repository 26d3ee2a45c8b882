#!/bin/sh
# Runs every fuzz target of the module, one after the other, each as long as $1 says (30s).
set -eu
cd "$(dirname "$0")/.."
for dir in $(go list -f '{{if or .TestGoFiles .XTestGoFiles}}{{.Dir}}{{end}}' ./...); do
	# shellcheck disable=SC2013 # names of functions have no spaces
	for target in $(sed -n 's/^func \(Fuzz[A-Za-z0-9_]*\)(.*/\1/p' "$dir"/*_test.go); do
		echo "fuzzing $target in ${dir#"$PWD/"}"
		go test -C "$dir" -run='^$' -fuzz="^$target\$" -fuzztime="${1:-30s}" -fuzzminimizetime=1s .
	done
done
