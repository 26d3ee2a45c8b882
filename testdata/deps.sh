#!/bin/sh
# Installs the programs that mtool and its tests need, on Debian and Ubuntu:
#
#   testdata/deps.sh native  for `mtool build` for this machine's architecture: runc, newuidmap
#   testdata/deps.sh build   for `mtool build`: also QEMU's user-mode emulators
#   testdata/deps.sh install the same for `make install`, but what this user can't install is no error: only builds need it
#   testdata/deps.sh go      nothing; fails if Go can't compile mtool. All but native check that first
#   testdata/deps.sh test    also for `make test`: emulators of more architectures
#   testdata/deps.sh interop also for `make interop`: a C compiler for the race detector, skopeo, podman, strace, Docker Engine,
#                            sshd, Chromium, exFAT for FUSE, buildah
#   testdata/deps.sh long    also for `make long`: debootstrap
#
# It prints every command that changes the machine before it runs it. With DEPS=no it only lists what is missing, with exit
# status 1. It uses programs that are installed already; if nothing is missing, it needs no network.
#
# It unpacks QEMU, Docker Engine, sshd and exFAT into .deps instead of installing them: the scripts of these packages would
# register emulators with the kernel and start daemons at every boot.
set -eu
cd "$(dirname "$0")/.."
deps=$PWD/.deps
set_name=${1:-build}
case $set_name in native | build | install | go | test | interop | long) ;; *)
	echo "usage: deps.sh native|build|install|go|test|interop|long" >&2
	exit 2
	;;
esac
PATH=$deps/bin:$deps/qemu/usr/bin:$PATH:/usr/local/sbin:/usr/sbin:/sbin

has() { command -v "$1" >/dev/null 2>&1; }

# check_go: fails before any download if Go is missing, or too old and not allowed to download a newer one.
check_go() {
	needed=$(sed -n 's/^go //p' go.mod)
	hint="Go $needed or later compiles mtool: https://go.dev/doc/install (Debian's and Ubuntu's package golang-go may be older)"
	has go || { echo "deps.sh: there is no Go in PATH. $hint" >&2 && return 1; }
	have=$(cd / && GOTOOLCHAIN=local go env GOVERSION | sed 's/^go//; s/[^0-9.].*//')
	[ "$(printf '%s\n' "$needed" "$have" | sort -V | head -n 1)" != "$needed" ] || return 0
	case $(cd / && go env GOTOOLCHAIN) in
	'' | local*) echo "deps.sh: this is Go $have, which is too old. $hint" >&2 && return 1 ;;
	*) echo "this is Go $have: it downloads Go $needed by itself, some 70 MB" >&2 ;;
	esac
}

# give_up TEXT: ends the script. Only make install goes on.
give_up() {
	echo "deps.sh: $1" >&2
	[ "$set_name" != install ] || { echo "what is missing is for mtool build; the other commands need none of it" >&2 && exit 0; }
	exit 1
}

# has_qemu: succeeds if there are emulators for all needed architectures but this machine's. The demo needs three of them, the
# tests more.
has_qemu() {
	more=
	case $set_name in build | install) ;; *) more="i386 ppc64le riscv64 s390x" ;; esac
	for arch in aarch64 arm x86_64 $more; do
		[ "$arch" = "$(uname -m)" ] || has "qemu-$arch-static" || is_static "$(command -v "qemu-$arch")" || return 1
	done
}

# is_static FILE: a dynamic emulator can't start in another architecture's root, which lacks its ELF interpreter.
is_static() { [ -n "$1" ] && ! head -c 4096 "$1" | grep -aq /ld-; }

# missing_packages: prints a line for each missing program: how to install it (apt; unpack: into .deps), its name, its packages.
missing_packages() {
	has runc || echo "apt runc runc"
	has newuidmap || echo "apt newuidmap uidmap"
	[ -e /etc/ssl/certs/ca-certificates.crt ] || [ -e /etc/pki/tls/certs/ca-bundle.crt ] || echo "apt certificates ca-certificates"
	[ "$set_name" = native ] || has_qemu || echo "unpack qemu qemu-user-static"
	case $set_name in interop | long) ;; *) return 0 ;; esac
	has make || echo "apt make make"
	has file || echo "apt file file"
	has readelf || echo "apt readelf binutils"
	[ -e /usr/share/keyrings/debian-archive-keyring.gpg ] || echo "apt debian debian-archive-keyring"
	has gcc && [ -e /usr/include/stdlib.h ] || echo "apt gcc gcc libc6-dev"
	has skopeo || echo "apt skopeo skopeo"
	has strace || echo "apt strace strace"
	has podman || echo "apt podman podman"
	has chromium || has google-chrome || echo "apt chromium chromium fonts-dejavu-core"
	has zsh && has fish && [ -e /usr/share/bash-completion/bash_completion ] || echo "apt shells zsh fish bash-completion"
	has buildah || echo "apt buildah buildah"
	has dockerd && has docker || echo "unpack docker docker.io"
	has ip || echo "apt network iproute2"
	has ssh && has ssh-keygen || echo "apt ssh openssh-client"
	has sshd || echo "unpack sshd openssh-server"
	[ ! -e /dev/fuse ] || { has mkfs.exfat && has mount.exfat-fuse; } || echo "unpack exfat exfat-fuse exfatprogs"
	[ "$set_name" = interop ] || has debootstrap || echo "apt debootstrap debootstrap"
}

# run CMD…: prints the command, then runs it. as_root runs it as root.
run() {
	echo "+ $*" >&2
	"$@" >&2
}
as_root() { if [ "$(id -u)" = 0 ]; then run "$@"; else run sudo "$@"; fi; }

# thrice CMD…: tries a command three times, since mirrors fail now and then.
thrice() {
	for pause in 3 10 0; do
		"$@" && return
		[ "$pause" = 0 ] || sleep "$pause"
	done
	echo "deps.sh: failed three times: $*" >&2
	return 1
}

update() { thrice as_root apt-get -o DPkg::Lock::Timeout=120 -q update; }

# install PACKAGE…: installs packages without starting their services. systemctl does nothing with SYSTEMD_OFFLINE, invoke-rc.d
# nothing at run level 1.
install() {
	thrice as_root env DEBIAN_FRONTEND=noninteractive SYSTEMD_OFFLINE=1 RUNLEVEL=1 \
		apt-get -o DPkg::Lock::Timeout=120 install -y -q --no-install-recommends "$@"
}

download() { (cd "$deps/deb" && run apt-get -o APT::Sandbox::User=root -q download "$1"); }

# unpack DIR PACKAGE: unpacks the files of a package, without its scripts.
unpack() {
	mkdir -p "$deps/deb" "$1"
	download "$2" || { update && thrice download "$2"; } # the lists may be older than the mirror
	run dpkg -x "$deps/deb/$2"_*.deb "$1"
	rm -rf "$deps/deb"
}

unpack_qemu() {
	unpack "$deps/qemu" qemu-user-static
	has_qemu || unpack "$deps/qemu" qemu-user # in releases where qemu-user-static is a transitional package
	has_qemu || { echo "deps.sh: no static QEMU in the packages qemu-user-static and qemu-user" >&2 && return 1; }
	# Few of the thirty architectures are ever used; all of them take a quarter of a gigabyte.
	find "$deps/qemu" -type f -name 'qemu-*' ! -name 'qemu-aarch64*' ! -name 'qemu-arm*' ! -name 'qemu-i386*' ! -name 'qemu-x86_64*' \
		! -name 'qemu-ppc64le*' ! -name 'qemu-riscv64*' ! -name 'qemu-s390x*' ! -name 'qemu-mips64el*' ! -name 'qemu-loongarch64*' -delete
	find "$deps/qemu" -xtype l -delete
}

unpack_docker() {
	unpack "$deps/docker" docker.io
	has containerd || unpack "$deps/docker" containerd
	[ -x "$deps/docker/usr/bin/docker" ] || has docker || unpack "$deps/docker" docker-cli
	mkdir -p "$deps/bin"
	for file in "$deps"/docker/usr/bin/* "$deps"/docker/usr/sbin/*; do
		ln -sf "../${file#"$deps/"}" "$deps/bin/"
	done
	dockerd --version >/dev/null && docker --version >/dev/null
}

# sshd needs libwrap0, which few machines have.
unpack_sshd() {
	unpack "$deps/ssh" openssh-server
	unpack "$deps/ssh" libwrap0
	mkdir -p "$deps/bin"
	# sshd starts itself again by argv[0], which must be the path of the binary.
	cat >"$deps/bin/sshd" <<'EOF'
#!/bin/sh
deps=$(cd "$(dirname "$0")/.." && pwd -P)
LD_LIBRARY_PATH=$(dirname "$(find "$deps/ssh" -name libwrap.so.0)") exec "$deps/ssh/usr/sbin/sshd" "$@"
EOF
	chmod +x "$deps/bin/sshd"
	"$deps/bin/sshd" -V
}

# Installing the driver's packages would replace another version of FUSE.
unpack_exfat() {
	unpack "$deps/exfat" exfat-fuse
	unpack "$deps/exfat" exfatprogs
	unpack "$deps/exfat" "$(apt-cache depends exfat-fuse | sed -n 's/.*Depends: \(libfuse[0-9][a-z0-9.-]*\)$/\1/p')"
	mkdir -p "$deps/bin"
	cat >"$deps/bin/mount.exfat-fuse" <<'EOT'
#!/bin/sh
deps=$(cd "$(dirname "$0")/.." && pwd -P)
LD_LIBRARY_PATH=$(dirname "$(find "$deps/exfat" -name 'libfuse*.so.*' -type f)") exec "$(find "$deps/exfat" -name mount.exfat-fuse -type f)" "$@"
EOT
	chmod +x "$deps/bin/mount.exfat-fuse"
	ln -sf ../exfat/usr/sbin/mkfs.exfat "$deps/bin/"
	mount.exfat-fuse -V && has mkfs.exfat
}

[ "$set_name" = native ] || check_go
[ "$set_name" != go ] || exit 0
missing=$(missing_packages)
if [ "$set_name" = install ]; then
	cat >&2 <<-END
		The first time, make install compiles for about five minutes on two cores, and needs one gigabyte for Go's caches. It installs
		  ${PREFIX:-$HOME/.local}: bin/mtool (45 MB) and completions
		  ${MTOOL_HOME:-${XDG_DATA_HOME:-$HOME/.local/share}/mtool}: emulators (60 MB)
		It changes nothing else on this machine, except that it installs missing packages, which it lists first.
	END
fi
[ -n "$missing" ] || exit 0
echo "missing for $set_name:" >&2
echo "$missing" | while read -r how what packages; do
	case $how in apt) how="to be installed by root" ;; *) how="downloaded and unpacked here, without root" ;; esac
	echo "  $what (Debian and Ubuntu: $packages): $how" >&2
done
[ "${DEPS:-}" != no ] || give_up "DEPS=no forbids setting them up"
if ! has apt-get || ! has dpkg; then
	give_up "this is neither Debian nor Ubuntu: please install the programs above (runc 1.1 or later; QEMU's static user-mode \
emulators, such as qemu-aarch64-static or qemu-aarch64, in PATH), then run this again"
fi
packages=$(echo "$missing" | sed -n 's/^apt [^ ]* //p')
if [ "$(id -u)" != 0 ] && ! has sudo && [ -n "$packages" ]; then
	without="neither root nor sudo: please have root run: apt-get install $(echo "$packages" | xargs)"
	[ "$set_name" = install ] || give_up "$without"
	echo "deps.sh: $without" >&2
	packages=
fi
# shellcheck disable=SC2086 # one word a package
[ -z "$packages" ] || { update && install $packages; } || give_up "apt-get failed"
for what in $(echo "$missing" | sed -n 's/^unpack \([^ ]*\).*/\1/p'); do
	"unpack_$what" || give_up "could not get $what"
done

missing=$(missing_packages)
[ -z "$missing" ] || give_up "still missing: $(echo "$missing" | cut -d' ' -f2 | xargs)"
