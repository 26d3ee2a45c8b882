// Package rpmdb reads which packages RPM has installed, from the bytes of its database in the format of SQLite
// (rpmdb.sqlite). It opens no file, keeps the database in memory, and takes time and memory in proportion to its size,
// whatever it says.
//
// The database has one table of interest, Packages, whose rows are the headers of the packages.
// https://www.sqlite.org/fileformat2.html, https://rpm.org/docs/latest/manual/format_header.html
package rpmdb
