#!/bin/sh
# Installs mtool for the current user: downloads a release, compares its SHA-256 sum, and copies program, man pages and
# completions below ~/.local. It does not need root, and changes nothing until the download is complete and correct.
#
#   curl -fsSL https://…/install.sh | sh
#   MTOOL_DOWNLOAD=file:///media/usb/mtool PREFIX=$HOME/tools sh install.sh
#
# $MTOOL_DOWNLOAD is the address of the files of a release: https://…, file://…, or http://… on this machine.
# $PREFIX is the folder to install below, ~/.local by default. $MTOOL_TARGET selects another system or architecture.
set -eu

# In a release, this is its address.
released=

fail() {
	echo "install.sh: $*" >&2
	exit 1
}

has() { command -v "$1" >/dev/null 2>&1; }

# target: prints the system and architecture of this user's programs, as in the names of the archives.
target() {
	system=$(uname -s)
	case $system in
	Linux) os=linux ;;
	Darwin) os=darwin ;;
	FreeBSD) os=freebsd ;;
	*) fail "there is no mtool for $system; for Windows, unpack the zip of the release" ;;
	esac
	machine=$(uname -m)
	case $machine in
	x86_64 | amd64) arch=amd64 ;;
	aarch64 | arm64) arch=arm64 ;;
	armv7* | armv8l) arch=armv7 ;;
	i?86) arch=386 ;;
	loongarch64) arch=loong64 ;;
	riscv64 | s390x | ppc64le) arch=$machine ;;
	mips64)
		[ "$(printf '\1\0' | od -An -td2 | tr -d ' ')" = 1 ] || fail "there is no mtool for big-endian mips64"
		arch=mips64le
		;;
	*) fail "there is no mtool for $machine; to have one, see make release in the sources" ;;
	esac
	# A 64-bit kernel may run a 32-bit system, and Rosetta reports x86_64 on an ARM Mac.
	if [ "$os" = linux ] && [ "$(getconf LONG_BIT 2>/dev/null)" = 32 ]; then
		case $arch in amd64) arch=386 ;; arm64) arch=armv7 ;; esac
	elif [ "$os" = darwin ] && [ "$(sysctl -n sysctl.proc_translated 2>/dev/null)" = 1 ]; then
		arch=arm64
	fi
	echo "$os-$arch"
}

# fetch NAME: downloads a file of the release into $work.
fetch() {
	case $address in
	*[[:space:]@]*) fail "not an address of a release: $address" ;;
	file:///*) cp "${address#file://}/$1" "$work/$1" || fail "cannot read $address/$1" ;;
	https://*) download "$1" https ;;
	http://127.0.0.1[:/]* | http://localhost[:/]* | http://\[::1\]*) download "$1" http ;;
	*) fail "not https, file or this machine: $address" ;;
	esac
}

download() {
	if has curl; then
		curl --fail --silent --show-error --location --retry 3 --proto "=$2" --output "$work/$1" "$address/$1"
	elif has wget; then
		wget --quiet --output-document="$work/$1" "$address/$1" # busybox's has few flags
	else
		fail "neither curl nor wget is here: install one, or download the release and set MTOOL_DOWNLOAD=file://DIR"
	fi || fail "cannot download $address/$1"
}

# sum FILE: prints its SHA-256.
sum() {
	if has sha256sum; then
		sha256sum <"$1"
	elif has shasum; then
		shasum -a 256 <"$1"
	else
		openssl dgst -sha256 -r <"$1"
	fi | cut -d' ' -f1
}

# put FILE TO MODE: copies a file, completely or not at all.
put() {
	mkdir -p "$(dirname "$2")"
	part=$2.part$$
	{ cp "$1" "$part" && chmod "$3" "$part" && mv "$part" "$2"; } || fail "cannot write $2"
	part=
}

clean() {
	[ -z "$part" ] || rm -f "$part"
	rm -rf "$work"
}

main() {
	address=${MTOOL_DOWNLOAD:-$released}
	[ -n "$address" ] || fail "set MTOOL_DOWNLOAD to where the files of a release are: https://…, or file://…"
	address=${address%/}
	prefix=${PREFIX:-${HOME:?install.sh: set HOME or PREFIX}/.local}
	has sha256sum || has shasum || has openssl || fail "no sha256sum, shasum or openssl is here to check the download with"
	target=${MTOOL_TARGET:-$(target)}
	part=
	work=$(mktemp -d "${TMPDIR:-/tmp}/mtool-install.XXXXXX")
	trap clean EXIT
	trap 'exit 130' INT
	trap 'exit 143' TERM HUP

	fetch SHA256SUMS
	line=$(grep "^[0-9a-f]\{64\}  mtool-[0-9A-Za-z.+-]*-$target\.tar\.gz\$" "$work/SHA256SUMS") || fail "no archive for $target in $address"
	want=${line%% *}
	archive=${line##* }
	[ "$want  $archive" = "$line" ] || fail "more than one archive for $target in $address"
	fetch "$archive"
	got=$(sum "$work/$archive")
	[ "$got" = "$want" ] || fail "$archive has the sum $got, not $want: it is broken, or not what was released"
	tar -xzf "$work/$archive" -C "$work" || fail "cannot unpack $archive"

	from=$work/${archive%.tar.gz}
	[ -n "${MTOOL_TARGET:-}" ] || said=$("$from/mtool" version) || fail "the program of $archive does not run here"
	for page in "$from"/man/man[0-9]/*; do
		[ ! -e "$page" ] || put "$page" "$prefix/share/${page#"$from"/}" 644
	done
	put "$from/completions/mtool.bash" "$prefix/share/bash-completion/completions/mtool" 644
	put "$from/completions/_mtool" "$prefix/share/zsh/site-functions/_mtool" 644
	put "$from/completions/mtool.fish" "$prefix/share/fish/vendor_completions.d/mtool.fish" 644
	put "$from/mtool" "$prefix/bin/mtool" 755

	echo "$prefix/bin/mtool: ${said:-for $target}" | head -n 1
	case ":$PATH:" in *":$prefix/bin:"*) ;; *) echo "add it to PATH: export PATH=$prefix/bin:\$PATH" ;; esac
	case $target in linux-*) has runc || echo "to build images, install runc too, and for other architectures qemu-user-static" ;; esac
}

main # at the end: a file that was downloaded in part does nothing
