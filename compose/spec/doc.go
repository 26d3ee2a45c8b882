// Package spec reads the files that say what a list is made of: the YAML of manifest-tool's "push from-spec", with
// additions, and the result files that builds on several machines leave behind.
//
// Parse reads the first, ParseResults the second. Schema is the JSON schema of the YAML, for editors.
//
// The package opens no file and no image: names are kept as they were written, and nothing is checked but the form.
package spec
