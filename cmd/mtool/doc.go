// Command mtool builds one image per architecture, merges images into a manifest list, publishes the list, and proves
// that every entry is what it claims to be. `mtool help` lists its commands.
package main
