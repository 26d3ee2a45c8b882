#!/bin/sh
# Fetches the packages of testdata/zoo.txt and unpacks them as their installers would, once for each platform:
#
#   testdata/zoo.sh short|long DIR    DIR/NAME-amd64.tar, DIR/NAME-arm64.tar
#
# Nothing of them is executed. What is there already is kept. Packages come from the Debian mirror that this machine's apt
# uses (or from $MTOOL_DEBIAN_MIRROR), through an apt configuration of their own, from npm's registry, and from the Go module
# proxy.
set -eu
[ $# = 2 ] || { echo "usage: zoo.sh short|long DIR" >&2 && exit 2; }
list=$(cd "$(dirname "$0")" && pwd)/zoo.txt
which=$1
mkdir -p "$2"
dir=$(cd "$2" && pwd)
work=$(mktemp -d "$dir/work.XXXXXX")
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM
keyring=/usr/share/keyrings/debian-archive-keyring.gpg

# configure ARCH SUITE: apt's files.
configure() {
	apt=$work/apt-$1-$2
	[ ! -e "$apt" ] || return 0
	mirror=${MTOOL_DEBIAN_MIRROR:-$(apt-get indextargets --format '$(SITE)' 'Created-By: Packages' | grep '/debian/*$' | head -n 1)}
	mkdir -p "$apt/lists/partial" "$apt/cache/archives/partial"
	: >"$apt/status"
	echo "deb [signed-by=$keyring] $mirror $2 main non-free-firmware" >"$apt/sources.list"
	cat >"$apt/apt.conf" <<-END
		APT::Architecture "$1";
		APT::Architectures { "$1"; };
		APT::Sandbox::User "";
		Acquire::Languages "none";
		Acquire::Retries "3";
		Dir::State "$apt";
		Dir::State::status "$apt/status";
		Dir::Cache "$apt/cache";
		Dir::Etc::SourceList "$apt/sources.list";
		Dir::Etc::SourceParts "-";
		Debug::NoLocking "true";
	END
	APT_CONFIG=$apt/apt.conf apt-get -qq -y update >&2
}

# unpack_deb ARCH SUITE PACKAGE: one that Debian has not for the architecture is left out.
unpack_deb() {
	configure "$1" "$2"
	mkdir -p "$work/debs"
	(cd "$work/debs" && APT_CONFIG=$work/apt-$1-$2/apt.conf apt-get -qq download "$3" >&2) || return 0
	for deb in "$work"/debs/*.deb; do
		dpkg-deb --fsys-tarfile "$deb" | tar -x --keep-directory-symlink --no-same-owner -C "$root"
	done
	rm -rf "$work/debs"
}

# unpack_npm NAME@VERSION: into node_modules.
unpack_npm() {
	module=${1%@*}
	file=$(cd "$work" && npm pack --silent "$1" | tail -n 1)
	mkdir -p "$root/srv/node_modules/$module"
	tar -xzf "$work/$file" -C "$root/srv/node_modules/$module" --strip-components=1 --no-same-owner
	rm "$work/$file"
}

# unpack_go MODULE VERSION: as `go install` keeps a toolchain.
unpack_go() {
	GOTOOLCHAIN=local GOFLAGS=-modcacherw GOMODCACHE=$work/mod go mod download "$1@$2" >&2 2>/dev/null || return 0
	mkdir -p "$root/usr/local/go"
	cp -R "$work/mod/$1@$2/." "$root/usr/local/go"
	rm -rf "$work/mod"
}

# member KIND NAME VERSION ARCH PARTS…
member() {
	kind=$1 name=$2 version=$3 arch=$4
	shift 4
	out=$dir/$(echo "$name" | tr '/@' '__')-$arch.tar
	[ ! -e "$out" ] || return 0
	root=$work/root
	mkdir -p "$root"
	case $kind in
	npm)
		word=$(echo "$arch" | sed 's/amd64/x64/')
		for part in "$name@$version" "$@"; do unpack_npm "$(echo "$part" | sed "s/{arch}/$word/g")"; done
		;;
	deb) for part in "$name" "$@"; do unpack_deb "$arch" "$version" "$part"; done ;;
	go) unpack_go "$name" "$(echo "$version" | sed "s/{arch}/$arch/")" ;;
	esac
	tar -c --sort=name --numeric-owner --owner=0 --group=0 --mtime=@0 -C "$root" -f "$work/packed.tar" .
	mv "$work/packed.tar" "$out"
	rm -rf "$root"
}

grep -v '^#' "$list" | while read -r when kind name version parts; do
	[ "$which" = long ] || [ "$when" = short ] || continue
	for arch in amd64 arm64; do
		# shellcheck disable=SC2086 # one word a part
		member "$kind" "$name" "$version" "$arch" $parts || echo "zoo.sh: no $name $version for $arch" >&2
	done
done
