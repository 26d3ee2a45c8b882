// Package inspect reads what is really under a reference and checks whether it is what it claims to be.
//
// Most callers need two calls. Read fetches the tree of a list or image (every manifest, every config) into a Report
// and does not judge. Check judges a Report and returns a Finding for every entry and for every broken rule. Failed
// makes one error of the findings that should stop a command.
//
// The package never edits, prints or runs anything, and reads no layers: it knows what the config of an image states.
// Package deep reads the layers. See package platform for how platforms are spelled and compared.
//
// Stable from v1 on: Read, Check, Failed, the states of findings, and the names of rules. Members may be added to
// Report and Finding, and new rules may find more; the words of messages may change at any time.
package inspect
