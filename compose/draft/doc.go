// Package draft keeps lists that are not published yet, one file each.
//
// Open a Store on a folder; Save puts a list there and Update edits it, loading and saving under one lock, so that
// two processes that amend a draft at once lose nothing. Load, List and Remove are the rest of a draft's life. Writes
// are atomic: whatever happens, a file is the draft before or the draft after.
//
// A draft has the rows and the sources as they were given, never their content: see compose.List.Resolve.
package draft
