#!/bin/sh
# Makes Debian file systems of other architectures, as layers: nothing is executed, nothing installed, root is not needed.
#
#   testdata/rootfs.sh arm64 s390x DIR          DIR/arm64-0.tar, DIR/s390x-0.tar: a shell, coreutils and what they need
#   testdata/rootfs.sh --whole arm64 s390x DIR  also DIR/arm64-1.tar and -2.tar: git, Python and Perl; a C compiler
#
# ARCH is Debian's word for it (amd64 arm64 armhf i386 ppc64el riscv64 s390x). What is there already is kept. The packages
# come from the Debian mirror that this machine's apt uses, or from $MTOOL_DEBIAN_MIRROR, through an apt configuration of their
# own under DIR, so that dpkg's list of architectures stays as it is.
set -eu
whole=
[ "${1:-}" != --whole ] || { whole=yes && shift; }
[ $# -ge 2 ] || { echo "usage: rootfs.sh [--whole] ARCH… DIR" >&2 && exit 2; }
for dir; do :; done # the last one
mkdir -p "$dir"
dir=$(cd "$dir" && pwd)
keyring=/usr/share/keyrings/debian-archive-keyring.gpg
mirror=${MTOOL_DEBIAN_MIRROR:-$(apt-get indextargets --format '$(SITE)' 'Created-By: Packages' | grep '/debian/*$' | head -n 1)}
[ -n "$mirror" ] || { echo "rootfs.sh: this machine's apt uses no Debian mirror: please set MTOOL_DEBIAN_MIRROR" >&2 && exit 1; }
[ -e "$keyring" ] || { echo "rootfs.sh: no $keyring: please install debian-archive-keyring" >&2 && exit 1; }

# What the layers hold, besides what it depends on. Names that are the same in all releases.
packages() {
	case $1 in
	0) echo base-files bash coreutils dash grep gzip sed tar findutils util-linux ;;
	1) echo git python3 perl busybox openssl ;;
	2) echo gcc ;;
	esac
}

suite() { case $1 in riscv64) echo trixie ;; *) echo bookworm ;; esac; }

# configure ARCH: apt's files under $work. The status says that nothing is installed, so that a package brings all it needs.
configure() {
	mkdir -p "$work/lists/partial" "$work/cache/archives/partial"
	: >"$work/status"
	echo "deb [signed-by=$keyring] $mirror $(suite "$1") main" >"$work/sources.list"
	cat >"$work/apt.conf" <<-END
		APT::Architecture "$1";
		APT::Architectures { "$1"; };
		APT::Sandbox::User "";
		APT::Install-Recommends "false";
		Acquire::Languages "none";
		Acquire::Retries "3";
		Dir::State "$work";
		Dir::State::status "$work/status";
		Dir::Cache "$work/cache";
		Dir::Etc::SourceList "$work/sources.list";
		Dir::Etc::SourceParts "-";
		Debug::NoLocking "true";
	END
	APT_CONFIG=$work/apt.conf apt-get -qq update
}

# layer ARCH N: what is downloaded on top of the layers before. bin, sbin and lib are links into usr, as in every Debian now.
layer() {
	root=$work/root$2
	for name in bin sbin lib lib64; do
		mkdir -p "$root/usr/$name"
		ln -s "usr/$name" "$root/$name"
	done
	# shellcheck disable=SC2046 # one word a package
	APT_CONFIG=$work/apt.conf apt-get -qq -y --download-only install $(packages "$2") >&2
	for deb in "$work"/cache/archives/*.deb; do
		[ ! -e "$deb.done" ] || continue
		# As in Debian's slim images: translations and manuals are most of the bytes.
		dpkg-deb --fsys-tarfile "$deb" | tar -x --keep-directory-symlink --no-same-owner -C "$root" --wildcards \
			--exclude='./usr/share/locale/*' --exclude='./usr/share/doc/*' --exclude='./usr/share/man/*'
		: >"$deb.done"
	done
	rmdir "$root/usr/lib64" 2>/dev/null && rm "$root/lib64"
	tar -c --sort=name --owner=0 --group=0 --numeric-owner --mtime=@0 -C "$root" -f "$work/layer.tar" .
	mv "$work/layer.tar" "$dir/$1-$2.tar" # whole, or not there
	rm -rf "$root"
}

# file_system ARCH: in a process of its own, since most of the time goes by waiting for the mirror.
file_system() (
	work=$(mktemp -d "$dir/work.XXXXXX")
	trap 'rm -rf "$work"' EXIT
	trap 'exit 130' INT TERM
	configure "$1"
	for n in 0 ${whole:+1 2}; do layer "$1" "$n"; done
)

jobs=
while [ $# -gt 1 ]; do
	if [ ! -e "$dir/$1-0.tar" ] || { [ -n "$whole" ] && [ ! -e "$dir/$1-2.tar" ]; }; then
		file_system "$1" &
		jobs="$jobs $!"
	fi
	shift
done
for job in $jobs; do wait "$job" || status=$?; done
exit "${status:-0}"
