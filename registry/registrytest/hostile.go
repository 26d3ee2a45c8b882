package registrytest

import (
	"regexp"
	"unicode/utf8"
)

// Hostile returns text that tries to break out of every kind of output: of a line, a cell, a terminal sequence, a CI
// command, an HTML tag, an XML section, a link. It contains name, which tells where it was put.
func Hostile(name string) string {
	return "<" + name +
		">%0A::error::x\r\n::set-output name=a::b\n  ::add-mask::c\nlinux/s390x  sha256:FORGED  binaries-ok\n##[add-mask]d ##vso[task.setvariable x]e" +
		" | `c` ]]> <script>&\"' [l](http://x) ,:\t\v\f\x00\x1b[31m\x1b]0;t\a\u009b2J\x7f\u202e\u2066\u200b\u2028\ufeff\U000e0041 \xff\xc3"
}

// Injection returns the first part of an output that controls a terminal or a CI system, or forges a line of the
// program, "" if there is none. It was written without looking at the code under test.
func Injection(text string) string {
	if !utf8.ValidString(text) {
		return "bytes that are not UTF-8"
	}
	for name, pattern := range map[string]string{
		"a control character":              "[\\x00-\\x08\\x0b-\\x1f\\x7f-\\x{9f}]",
		"an invisible character":           "[\\x{ad}\\x{61c}\\x{180e}\\x{200b}-\\x{200f}\\x{2028}-\\x{202e}\\x{2060}-\\x{206f}\\x{3164}\\x{feff}\\x{fff9}-\\x{fffb}\\x{e0000}-\\x{e0fff}]",
		"a command at the start of a line": "(?m)^[\\s\\pZ]*::",
		"a command within a line":          "##[A-Za-z.-]*\\[",
		"a forged line":                    "(?m)^linux/s390x  sha256:FORGED",
	} {
		if at := regexp.MustCompile(pattern).FindStringIndex(text); at != nil {
			return name + ": " + text[max(0, at[0]-20):min(len(text), at[1]+20)]
		}
	}
	return ""
}
