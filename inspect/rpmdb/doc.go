// Package rpmdb reads from RPM's database which packages are installed: in the format of SQLite (rpmdb.sqlite), ndb
// (Packages.db) or Berkeley DB (Packages). It opens no file and keeps the database in memory. Time and memory are
// proportional to its size, whatever its content.
//
// In all formats, a package is a header with an index of tags. https://rpm.org/docs/latest/manual/format_header.html
package rpmdb
