// Package progress shows long tasks: on a terminal a line for each blob in flight and one for all of them, elsewhere a
// line now and then, or one JSON object a line.
//
// A caller needs New, which starts the display, and Close, which ends it. In between the Board is the registry.Progress
// of the command's context. The package decides nothing about transfers, and prints nothing but their state.
package progress
