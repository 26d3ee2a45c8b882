#!/bin/sh
# Downloads the packages in testdata/zoo.txt and unpacks them as their installers would, once for each platform:
#
#   testdata/zoo.sh short|long DIR    DIR/NAME-amd64.tar, DIR/NAME-arm64.tar
#
# It runs no program of the packages, and keeps existing files. Packages come from the Debian mirror of this machine's apt (or
# from $MTOOL_DEBIAN_MIRROR) through a separate apt configuration, from npm's registry, and from the Go module proxy. If a part
# of a package can't be downloaded, the script makes the other packages, then fails.
set -eu
[ $# = 2 ] || { echo "usage: zoo.sh short|long DIR" >&2 && exit 2; }
list=$(cd "$(dirname "$0")" && pwd)/zoo.txt
which=$1
mkdir -p "$2"
dir=$(cd "$2" && pwd)
work=$(mktemp -d "$dir/work.XXXXXX")
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM
root=$work/root
keyring=/usr/share/keyrings/debian-archive-keyring.gpg

# configure ARCH SUITE: writes apt's files.
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

# unpack_deb ARCH SUITE PACKAGE…
unpack_deb() {
	arch=$1 suite=$2
	shift 2
	configure "$arch" "$suite" && mkdir -p "$work/debs" || return 1
	(cd "$work/debs" && APT_CONFIG=$work/apt-$arch-$suite/apt.conf apt-get -qq download "$@" >&2) || return 1
	for link in bin sbin lib lib32 lib64 libx32; do # as base-files has them
		mkdir -p "$root/usr/$link" && ln -s "usr/$link" "$root/$link"
	done
	for deb in "$work"/debs/*.deb; do
		dpkg-deb --fsys-tarfile "$deb" | tar -x --keep-directory-symlink --no-same-owner -C "$root" || return 1
	done
	find "$root/usr" -maxdepth 1 -type d -empty -delete
	find "$root" -maxdepth 1 -xtype l -delete
}

# unpack_npm NAME@VERSION…: unpacks modules into node_modules.
unpack_npm() {
	for part; do
		module=$root/srv/node_modules/${part%@*}
		file=$(cd "$work" && npm pack --silent "$part" | tail -n 1)
		[ -n "$file" ] && mkdir -p "$module" || return 1
		tar -xzf "$work/$file" -C "$module" --strip-components=1 --no-same-owner || return 1
		rm "$work/$file"
	done
}

# unpack_go MODULE VERSION: as `go install` keeps a toolchain.
unpack_go() {
	GOTOOLCHAIN=local GOFLAGS=-modcacherw GOMODCACHE=$work/mod go mod download "$1@$2" >&2 || return 1
	mkdir -p "$root/usr/local/go"
	cp -R "$work/mod/$1@$2/." "$root/usr/local/go"
}

# unpack KIND ARCH NAME VERSION PARTS…
unpack() {
	kind=$1 arch=$2 name=$3 version=$4
	shift 4
	case $kind in
	npm) unpack_npm "$name@$version" "$@" ;;
	deb) unpack_deb "$arch" "$version" "$name" "$@" ;;
	go) unpack_go "$name" "$version" ;;
	esac
}

# member KIND ARCH NAME VERSION PARTS…: makes the archive of a package and its parts.
member() {
	out=$dir/$(echo "$3" | tr '/@{}' '____')-$2.tar
	[ ! -e "$out" ] || return 0
	word=$2
	[ "$1" != npm ] || word=$(echo "$2" | sed 's/amd64/x64/')
	rm -rf "$root" "$work/debs" "$work/mod"
	mkdir "$root"
	# shellcheck disable=SC2046 # one word a part
	unpack $(echo "$*" | sed "s/{arch}/$word/g") || return 1
	tar -c --sort=name --numeric-owner --owner=0 --group=0 --mtime=@0 -C "$root" -f "$work/packed.tar" . || return 1
	mv "$work/packed.tar" "$out"
}

failed=0
while read -r when kind name version lie parts; do
	case $when in
	short) ;;
	long) [ "$which" = long ] || continue ;;
	*) continue ;;
	esac
	for arch in amd64 arm64; do
		case $kind in
		*/*) [ "${kind#*/}" = "$arch" ] || continue ;;
		esac
		# shellcheck disable=SC2086 # one word a part
		(member "${kind%/*}" "$arch" "$name" "$version" $parts) </dev/null ||
			{ echo "zoo.sh: cannot get $name $version for $arch" >&2 && failed=1; }
	done
done <"$list"
exit "$failed"
