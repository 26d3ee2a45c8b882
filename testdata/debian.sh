#!/bin/sh
# Makes the root file system of a small Debian of another architecture, for builds that run real programs under QEMU:
#
#   testdata/debian.sh arm64           .deps/debian/arm64.tar, and .deps/debian/arm64/more/*.deb, packages to install there
#   testdata/debian.sh arm64 --check   exit status 1 when it is not there yet
#
# The packages are fetched by this machine's apt with settings of its own, so that the machine neither learns of another
# architecture nor has anything installed. Nothing of them is executed: no maintainer script has run in that file system.
# Their mirror is the first one for Debian that this machine's apt uses, or $MTOOL_DEBIAN_MIRROR.
set -eu
cd "$(dirname "$0")/.."
arch=${1:?usage: debian.sh ARCH [--check]}
suite=bookworm
base="base-files base-passwd bash coreutils dash debianutils diffutils dpkg findutils gcc-12-base grep gzip hostname init-system-helpers
	libacl1 libattr1 libaudit-common libaudit1 libbz2-1.0 libc-bin libc6 libcap-ng0 libcrypt1 libdb5.3 libgcc-s1 libgmp10 liblzma5
	libmd0 libpam-modules libpam-modules-bin libpam-runtime libpam0g libpcre2-8-0 libselinux1 libsemanage-common libsemanage2
	libsepol2 libtinfo6 libzstd1 login mawk passwd perl-base sed tar util-linux zlib1g"
more="sudo" # has setuid programs, and files that not everybody may read

dir=$PWD/.deps/debian
want=$(cksum <testdata/debian.sh)
if [ -e "$dir/$arch.tar" ] && [ "$(cat "$dir/$arch.stamp" 2>/dev/null)" = "$want" ]; then exit 0; fi
[ "${2:-}" != --check ] || exit 1

mirror=${MTOOL_DEBIAN_MIRROR:-$(apt-get indextargets --format '$(SITE)' 'Created-By: Packages' | grep '/debian$' | head -n 1)}
keys=/usr/share/keyrings/debian-archive-keyring.gpg
[ -n "$mirror" ] && [ -e "$keys" ] || {
	echo "debian.sh: this machine's apt uses no mirror of Debian: set MTOOL_DEBIAN_MIRROR, and install debian-archive-keyring" >&2
	exit 1
}

work=$dir/$arch.work
rm -rf "$work" "$dir/$arch"
trap 'rm -rf "$work"' EXIT
mkdir -p "$work/lists/partial" "$work/cache/archives/partial" "$work/base" "$work/root/usr" "$dir/$arch/more"
: >"$work/status"
echo "deb [signed-by=$keys] $mirror $suite main" >"$work/sources.list"
cat >"$work/apt.conf" <<END
APT::Architecture "$arch";
APT::Architectures { "$arch"; };
APT::Sandbox::User "root";
Acquire::Languages "none";
Dir::State "$work";
Dir::State::status "$work/status";
Dir::Cache "$work/cache";
Dir::Etc::SourceList "$work/sources.list";
Dir::Etc::SourceParts "-";
END
export APT_CONFIG="$work/apt.conf"
apt-get -qq update

# fetch DIR PACKAGE…: mirrors fail now and then.
fetch() {
	cd "$1"
	shift
	apt-get -qq download "$@" || { sleep 3 && apt-get -qq download "$@"; }
}
# shellcheck disable=SC2086 # one word a package
(fetch "$work/base" $base)
# shellcheck disable=SC2086
(fetch "$dir/$arch/more" $more)

root=$work/root
for d in bin lib sbin; do
	mkdir "$root/usr/$d"
	ln -s "usr/$d" "$root/$d"
done
mkdir -p "$root/var/lib/dpkg/info"
for deb in "$work"/base/*.deb; do
	dpkg-deb --fsys-tarfile "$deb" | tar -x --keep-directory-symlink --no-same-owner -C "$root"
	# What dpkg remembers of an installed package, but for its scripts.
	name=$(dpkg-deb --field "$deb" Package)
	dpkg-deb --info "$deb" control | sed "1a Status: install ok installed" >>"$root/var/lib/dpkg/status"
	echo >>"$root/var/lib/dpkg/status"
	: >"$root/var/lib/dpkg/info/$name.list"
done
cp "$root/usr/share/base-passwd/passwd.master" "$root/etc/passwd"
cp "$root/usr/share/base-passwd/group.master" "$root/etc/group"
: >"$root/etc/shadow"
chmod 640 "$root/etc/shadow"
rm -rf "$root/usr/share/doc" "$root/usr/share/locale" "$root/usr/share/man"
tar -c --sort=name --owner=0 --group=0 --numeric-owner --mtime=@0 -C "$root" -f "$dir/$arch.tar" .
echo "$want" >"$dir/$arch.stamp"
