#!/bin/sh
# Builds the programs that tests compare mtool with, in pinned versions, into .deps/bin:
#
#   testdata/tools.sh                 all that `make interop` needs
#   testdata/tools.sh registry crane  just these
#
# Docker Engine 28 and 29 (dockerd28, dockerd29), ko and cosign take minutes and are built only when they are named, as
# `make long` does.
#
# A program is built again only when its pin changes. This needs Go, and the network for modules that are not in the cache.
set -eu
cd "$(dirname "$0")/.."
deps=$PWD/.deps
stamps=$deps/stamps

# pin NAME: prints the pinned version of NAME, as for `go install`, or a checksum of its sources.
pin() {
	case $1 in
	registry) echo github.com/distribution/distribution/v3/cmd/registry@v3.1.2 ;;
	actionlint) echo github.com/rhysd/actionlint/cmd/actionlint@v1.7.12 ;;
	crane) echo github.com/google/go-containerregistry/cmd/crane@v0.22.1 ;;
	regctl) echo github.com/regclient/regclient/cmd/regctl@v0.11.7 ;;
	oras) echo oras.land/oras/cmd/oras@v1.3.6 ;;
	buildx) echo github.com/docker/buildx/cmd/buildx@v0.37.2 ;;
	conformance) echo github.com/opencontainers/distribution-spec/conformance@v0.0.0-20260831232431-97274622c111 ;;
	gotestsum) echo gotest.tools/gotestsum@v1.13.0 ;; # shows tests as they end
	nfpm) echo github.com/goreleaser/nfpm/v2/cmd/nfpm@v2.45.2 ;; # deb, rpm and apk of a release
	golangci-lint) echo github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.15.0 ;;
	cosign-sign) cksum testdata/tools/cosign/main.go testdata/tools/cosign/go.mod testdata/tools/cosign/go.sum ;;
	readers) cksum testdata/tools/readers/main.go testdata/tools/readers/go.mod testdata/tools/readers/go.sum ;;
	buildkitd | buildctl | dockerfile-frontend) cksum testdata/tools/buildkitd/go.mod testdata/tools/buildkitd/go.sum ;;
	ko) echo github.com/google/ko@v0.19.1 ;;
	cosign) echo github.com/sigstore/cosign/v3/cmd/cosign@v3.1.3 ;;
	dockerd29) cksum testdata/tools/dockerd29/go.mod testdata/tools/dockerd29/go.sum ;;
	dockerd28) cksum testdata/tools/dockerd/go.mod testdata/tools/dockerd/go.sum ;;
	*)
		echo "tools.sh: no program $1 here: registry crane regctl oras buildx buildkitd buildctl dockerfile-frontend dockerd28 dockerd29 ko cosign conformance cosign-sign readers actionlint gotestsum golangci-lint nfpm" >&2
		return 2
		;;
	esac
}

# build NAME PIN: builds a program. `go install pkg@version` refuses BuildKit, whose go.mod has exclude lines, and Docker Engine,
# which has no go.mod: modules in testdata/tools pin these and their dependencies.
build() {
	case $1 in
	buildkitd | buildctl) go -C testdata/tools/buildkitd build -trimpath -ldflags='-s -w' -o "$deps/bin/$1" "github.com/moby/buildkit/cmd/$1" ;;
	dockerd28) go -C testdata/tools/dockerd build -trimpath -ldflags='-s -w' -o "$deps/bin/dockerd28" github.com/docker/docker/cmd/dockerd ;;
	dockerd29) go -C testdata/tools/dockerd29 build -trimpath -ldflags='-s -w' -o "$deps/bin/dockerd29" github.com/moby/moby/v2/cmd/dockerd ;;
	dockerfile-frontend) go -C testdata/tools/buildkitd build -trimpath -ldflags='-s -w' -o "$deps/bin/$1" "github.com/moby/buildkit/frontend/dockerfile/cmd/$1" ;;
	cosign-sign) go -C testdata/tools/cosign build -trimpath -ldflags='-s -w' -o "$deps/bin/$1" . ;;
	readers) go -C testdata/tools/readers build -trimpath -tags containers_image_openpgp -ldflags='-s -w' -o "$deps/bin/$1" . ;;
	*) GOBIN=$deps/bin go install -trimpath -ldflags='-s -w' "$2" ;;
	esac
}

export CGO_ENABLED=0
unset GOOS GOARCH || :
mkdir -p "$deps/bin" "$stamps"
[ $# -gt 0 ] || set -- registry crane regctl oras buildx buildkitd buildctl dockerfile-frontend conformance cosign-sign readers actionlint gotestsum
for name; do
	want=$(pin "$name")
	if [ -x "$deps/bin/$name" ] && [ "$(cat "$stamps/$name" 2>/dev/null)" = "$want" ]; then
		continue
	fi
	echo "building $name" >&2
	build "$name" "$want"
	printf '%s\n' "$want" >"$stamps/$name"
done
