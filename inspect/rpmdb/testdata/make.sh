#!/bin/sh
# Makes rpmdb.sqlite and rpmdb.txt, what rpm itself says of the database, with rpmbuild and rpm (Debian's package rpm); and of the
# same packages Packages, which Berkeley DB writes and rpm reads, and Packages.db, with Perl's DB_File and Python.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
spec() { # NAME ARCH FILES [EPOCH]
	cat >"$tmp/$1.spec" <<-END
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
	rpmbuild -bb --quiet --target "$2" --define "_topdir $tmp/top" "$tmp/$1.spec"
}
spec tool noarch 1 2
spec empty x86_64 0
spec many x86_64 250
for n in $(seq 12); do spec "part$n" x86_64 "$n"; done
db="rpm --root $tmp/system --dbpath /db --define _db_backend\ sqlite"
mkdir "$tmp/system"
eval "$db -i --nodeps --ignorearch --justdb $(find "$tmp/top" -name '*.rpm' | sort | tr '\n' ' ')"
eval "$db -e --nodeps --justdb part7"
eval "$db -qa --qf '%{NAME} %{EVR} %{ARCH}\n'" | LC_ALL=C sort >"$here/rpmdb.txt"
eval "$db -qal" | grep -v contains | LC_ALL=C sort | sha256sum | cut -d' ' -f1 >>"$here/rpmdb.txt"
cp "$tmp/system/db/rpmdb.sqlite" "$here/"
python3 - "$here" "$tmp/headers.txt" <<'END'
import sqlite3, struct, sys, zlib
here, headers = sys.argv[1:]
slots = blobs = b""
with open(headers, "w") as out:
    for number, header in sqlite3.connect(here + "/rpmdb.sqlite").execute("SELECT hnum, blob FROM Packages ORDER BY hnum"):
        print(number, header.hex(), file=out)
        blob = struct.pack("<4sIII", b"BlbS", number, 1, len(header)) + header
        blob += bytes(-(len(blob) + 12) % 16)
        blob += struct.pack("<II4s", zlib.adler32(blob), len(header), b"BlbE")
        slots += struct.pack("<4sIII", b"Slot", number, (4096 + len(blobs)) // 16, len(blob) // 16)
        blobs += blob
slots += struct.pack("<4sIII", b"Slot", 0, 0, 0) * ((4096 - 32 - len(slots)) // 16)
with open(here + "/Packages.db", "wb") as out:
    out.write(struct.pack("<4sIIIIIII", b"RpmP", 0, 1, 1, number + 1, 0, 0, 0) + slots + blobs)
END
rm -f "$here/Packages"
perl -MDB_File -e '
	tie my %db, "DB_File", $ARGV[1], O_RDWR | O_CREAT, 0644, $DB_HASH or die $!;
	$db{pack "V", 0} = pack "V", 99;
	open my $headers, "<", $ARGV[0] or die $!;
	while (<$headers>) {
		my ($number, $header) = split;
		$db{pack "V", $number} = pack "H*", $header;
	}
' "$tmp/headers.txt" "$here/Packages"
mkdir "$tmp/berkeley"
cp "$here/Packages" "$tmp/berkeley/"
rpm --dbpath "$tmp/berkeley" --define '_db_backend bdb_ro' -qa --qf '%{NAME} %{EVR} %{ARCH}\n' 2>/dev/null | LC_ALL=C sort >"$tmp/berkeley.txt"
head -n -1 "$here/rpmdb.txt" | cmp - "$tmp/berkeley.txt"
