// Package source opens any registry.Ref, whatever its transport: Opener.Open is the one call.
//
// It decides where a name without a transport is looked up, and says every place where it was not found. Drafts are not
// opened here: they are no content yet, and lie in a room above.
package source
