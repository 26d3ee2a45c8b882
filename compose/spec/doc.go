// Package spec reads files that describe a list: the YAML of manifest-tool's "push from-spec", with additions, and
// the result files that builds on several machines leave behind.
//
// Parse reads the first, ReadResults the second. Schema is the JSON schema of the YAML, for editors.
//
// The package opens no image: names are kept as they were written, and only the form is checked.
package spec
