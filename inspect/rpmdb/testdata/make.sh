#!/bin/sh
# Makes rpmdb.sqlite and rpmdb.txt, what rpm itself says of the database, with rpmbuild and rpm (Debian's package rpm).
set -eu
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
spec() { # NAME ARCH FILES [EPOCH]
	cat >"$work/$1.spec" <<-END
		Name: $1
		Version: 1.$3
		Release: 2.el9
		${4:+Epoch: $4}
		Summary: a package
		License: MIT
		BuildArch: $2
		Requires: /bin/sh
		Requires: cap-of-tool
		Provides: cap-of-$1
		%global __os_install_post %{nil}
		%global _build_id_links none
		%description
		A package.
		%install
		mkdir -p %{buildroot}/usr/bin %{buildroot}/usr/lib/$1/data %{buildroot}/usr/share/$1
		for n in \$(seq $3); do echo \$n >%{buildroot}/usr/lib/$1/data/some-file-with-a-name-\$n; done
		echo true >%{buildroot}/usr/bin/$1
		echo boot >%{buildroot}/usr/share/$1/stage1
		%files
		/usr/bin/$1
		/usr/lib/$1
		/usr/share/$1
	END
	rpmbuild -bb --quiet --target "$2" --define "_topdir $work/top" "$work/$1.spec"
}
spec tool noarch 1 2
spec empty x86_64 0
spec many x86_64 250
for n in $(seq 12); do spec "part$n" x86_64 "$n"; done
db="rpm --root $work/root --dbpath /db --define _db_backend\ sqlite"
mkdir "$work/root"
eval "$db -i --nodeps --ignorearch --justdb $(find "$work/top" -name '*.rpm' | sort | tr '\n' ' ')"
eval "$db -e --nodeps --justdb part7"
eval "$db -qa --qf '%{NAME} %{EVR} %{ARCH}\n'" | LC_ALL=C sort >"$here/rpmdb.txt"
eval "$db -qal" | grep -v contains | LC_ALL=C sort | sha256sum | cut -d' ' -f1 >>"$here/rpmdb.txt"
cp "$work/root/db/rpmdb.sqlite" "$here/"
