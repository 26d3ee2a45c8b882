// Package rpmdb reads which packages RPM has installed, from the bytes of its database: in the format of SQLite
// (rpmdb.sqlite), ndb (Packages.db) or Berkeley DB (Packages). It opens no file, keeps the database in memory, and
// takes time and memory in proportion to its size, whatever it says.
//
// In all of them, a package is a header with an index of tags. https://rpm.org/docs/latest/manual/format_header.html
package rpmdb
