// Package source opens any registry.Ref, whatever its transport: Opener.Open is the one call.
//
// It decides where a name without a transport is looked up, and its errors list every place it searched. It does not
// open drafts, which are not content yet: see package draft.
package source
