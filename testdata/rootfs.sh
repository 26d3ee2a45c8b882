#!/bin/sh
# Makes Debian file systems of other architectures. It changes nothing on this machine, and does not need root.
#
#   testdata/rootfs.sh arm64 s390x DIR          DIR/arm64-0.tar, DIR/s390x-0.tar: layers with a shell and coreutils
#   testdata/rootfs.sh --whole arm64 s390x DIR  also DIR/arm64-1.tar and -2.tar: git, Python and Perl; a C compiler
#   testdata/rootfs.sh --dpkg arm64 DIR         DIR/arm64-dpkg.tar: a system in which dpkg works
#   testdata/rootfs.sh --debootstrap arm64 DIR  DIR/arm64-debootstrap.tar: a whole system after debootstrap's first stage
#   testdata/rootfs.sh --worker arm64 DIR       DIR/arm64-worker.tar: runc, newuidmap and QEMU for mtool's builder image
#
# No maintainer script and no program of the packages runs. --dpkg and --debootstrap also make DIR/arm64-more, with packages to
# install later. ARCH is Debian's name (amd64 arm64 armhf i386 ppc64el riscv64 s390x). Existing files are kept. Packages come
# from the Debian mirror of this machine's apt, or from $MTOOL_DEBIAN_MIRROR. apt has a configuration below DIR, so dpkg's list
# of architectures does not change.
set -eu
kind=layers
case ${1:-} in --whole | --dpkg | --debootstrap | --worker) kind=${1#--} && shift ;; esac
[ $# -ge 2 ] || { echo "usage: rootfs.sh [--whole|--dpkg|--debootstrap|--worker] ARCH… DIR" >&2 && exit 2; }
# debootstrap's files belong to several users.
[ "$kind" != debootstrap ] || [ "$(id -u)" = 0 ] || exec unshare --map-root-user --map-auto "$0" "--$kind" "$@"
for dir; do :; done # the last one
mkdir -p "$dir"
dir=$(cd "$dir" && pwd)
keyring=/usr/share/keyrings/debian-archive-keyring.gpg
# shellcheck disable=SC2016 # apt fills it in
mirror=${MTOOL_DEBIAN_MIRROR:-$(apt-get indextargets --format '$(SITE)' 'Created-By: Packages' | grep '/debian/*$' | head -n 1)}
[ -n "$mirror" ] || { echo "rootfs.sh: this machine's apt uses no Debian mirror: please set MTOOL_DEBIAN_MIRROR" >&2 && exit 1; }
[ -e "$keyring" ] || { echo "rootfs.sh: no $keyring: please install debian-archive-keyring" >&2 && exit 1; }

# packages SET: the packages of a file system, without their dependencies. Their names are the same in all releases.
packages() {
	case $1 in
	0) echo base-files bash coreutils dash grep gzip sed tar findutils util-linux ;;
	1) echo git python3 perl busybox openssl ;;
	2) echo gcc ;;
	dpkg) echo "$(packages 0)" base-passwd debianutils diffutils dpkg hostname init-system-helpers libc-bin libpam-runtime login mawk passwd perl-base usr-is-merged ;;
	worker) echo base-files runc uidmap qemu-user-static ;;
	more) echo sudo ;; # has setuid programs, and files that not everybody may read
	esac
}

suite() { case $1 in riscv64) echo trixie ;; *) echo bookworm ;; esac; }

# last ARCH: the last file that is written for ARCH.
last() {
	case $kind in
	layers) echo "$dir/$1-0.tar" ;;
	whole) echo "$dir/$1-2.tar" ;;
	*) echo "$dir/$1-$kind.tar" ;;
	esac
}

# configure ARCH: writes apt's files in $work. The empty status makes apt download all dependencies.
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
	apt_get update
}

apt_get() { APT_CONFIG=$work/apt.conf apt-get -qq -y "$@" >&2; }

# unpack PACKAGE…: adds packages to $root. bin, sbin and lib are links into usr, as in all current Debian releases.
unpack() {
	for name in bin sbin lib lib64; do
		mkdir -p "$root/usr/$name"
		ln -s "usr/$name" "$root/$name"
	done
	apt_get --download-only install "$@"
	for deb in "$work"/cache/archives/*.deb; do
		[ ! -e "$deb.done" ] || continue
		# As in Debian's slim images: translations and manuals are most of the bytes.
		dpkg-deb --fsys-tarfile "$deb" | tar -x --keep-directory-symlink --no-same-owner -C "$root" --wildcards \
			--exclude='./usr/share/locale/*' --exclude='./usr/share/doc/*' --exclude='./usr/share/man/*'
		: >"$deb.done"
	done
	rmdir "$root/usr/lib64" 2>/dev/null && rm "$root/lib64"
	:
}

# pack NAME [OPTION…]: writes $root to NAME.tar, completely or not at all.
pack() {
	name=$1
	shift
	tar -c --sort=name --numeric-owner "$@" -C "$root" -f "$work/packed.tar" .
	mv "$work/packed.tar" "$dir/$name.tar"
	rm -rf "$root"
}

layer() {
	# shellcheck disable=SC2046 # one word a package
	unpack $(packages "$2")
	pack "$1-$2" --owner=0 --group=0 --mtime=@0
}

# worker ARCH: without rarely used emulators, which are two thirds of QEMU; its only user is root.
worker() {
	# shellcheck disable=SC2046
	unpack $(packages worker)
	find "$root/usr/bin" -type f -name 'qemu-*' ! -name 'qemu-aarch64*' ! -name 'qemu-arm*' ! -name 'qemu-i386*' ! -name 'qemu-x86_64*' \
		! -name 'qemu-ppc64le*' ! -name 'qemu-riscv64*' ! -name 'qemu-s390x*' ! -name 'qemu-mips64el*' ! -name 'qemu-loongarch64*' -delete
	find "$root/usr/bin" -xtype l -name 'qemu-*' -delete
	rm -rf "$root/usr/lib/binfmt.d"
	echo root:x:0:0:root:/root:/usr/sbin/nologin >"$root/etc/passwd"
	echo root:x:0: >"$root/etc/group"
	mkdir -p "$root/var/lib/dpkg/status.d" # scanners read it in images without dpkg
	for deb in "$work"/cache/archives/*.deb; do
		dpkg-deb --info "$deb" control >"$root/var/lib/dpkg/status.d/$(dpkg-deb --field "$deb" Package)"
	done
	pack "$1-worker" --owner=0 --group=0 --mtime=@0
}

# installed ARCH: with dpkg's database, but without maintainer scripts, and with Debian's standard users.
installed() {
	# shellcheck disable=SC2046
	unpack $(packages dpkg)
	mkdir -p "$root/var/lib/dpkg/info"
	for deb in "$work"/cache/archives/*.deb; do
		dpkg-deb --info "$deb" control | sed "1a Status: install ok installed" >>"$root/var/lib/dpkg/status"
		echo >>"$root/var/lib/dpkg/status"
		: >"$root/var/lib/dpkg/info/$(dpkg-deb --field "$deb" Package).list"
	done
	cp "$root/usr/share/base-passwd/passwd.master" "$root/etc/passwd"
	cp "$root/usr/share/base-passwd/group.master" "$root/etc/group"
	: >"$root/etc/shadow"
	chmod 640 "$root/etc/shadow"
	pack "$1-dpkg" --owner=0 --group=0 --mtime=@0
}

# bootstrapped ARCH: in a container, debootstrap makes no devices.
bootstrapped() {
	container=lxc PATH=$PATH:/usr/sbin:/sbin debootstrap --foreign --variant=minbase --arch="$1" --keyring="$keyring" \
		"$(suite "$1")" "$root" "$mirror" >"$work/log" 2>&1 || { cat "$work/log" >&2 && return 1; }
	pack "$1-debootstrap" --exclude='./dev/*'
}

# more ARCH: downloads packages to install later.
more() {
	mkdir "$work/more"
	# shellcheck disable=SC2046
	(cd "$work/more" && apt_get download $(packages more))
	rm -rf "${dir:?}/$1-more"
	mv "$work/more" "$dir/$1-more"
}

# file_system ARCH: runs as a separate process, since it mostly waits for the mirror.
file_system() (
	work=$(mktemp -d "$dir/work.XXXXXX")
	root=$work/root
	trap 'rm -rf "$work"' EXIT
	trap 'exit 130' INT TERM
	configure "$1"
	case $kind in
	layers) layer "$1" 0 ;;
	whole) for n in 0 1 2; do layer "$1" $n; done ;;
	worker) worker "$1" ;;
	dpkg) more "$1"; installed "$1" ;;
	debootstrap) more "$1"; bootstrapped "$1" ;;
	esac
)

jobs=
while [ $# -gt 1 ]; do
	if [ ! -e "$(last "$1")" ]; then
		file_system "$1" &
		jobs="$jobs $!"
	fi
	shift
done
for job in $jobs; do wait "$job" || status=$?; done
exit "${status:-0}"
