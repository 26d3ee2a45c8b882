package registrytest

import (
	"regexp"
	"unicode/utf8"
)

// Hostile returns text that ends or begins something in every kind of output: a line, a cell, a terminal sequence, a
// command of a CI system, an HTML tag, an XML section, a link. name is where the text was put.
func Hostile(name string) string {
	return "<" + name +
		">%0A::error::x\r\n::set-output name=a::b\n  ::add-mask::c\nlinux/s390x  sha256:FORGED  binaries-ok\n##[add-mask]d ##vso[task.setvariable x]e" +
		" | `c` ]]> <script>&\"' [l](http://x) ,:\t\v\f\x00\x1b[31m\x1b]0;t\a\u009b2J\x7f\u202e\u2066\u200b\u2028\ufeff\U000e0041 \xff\xc3"
}

// Steering returns the first thing in an output that acts on a terminal or a CI system, or pretends to be a line of the
// program; "" when there is none. It was written without a look at the code that it judges.
func Steering(text string) string {
	if !utf8.ValidString(text) {
		return "bytes that are no UTF-8"
	}
	for name, pattern := range map[string]string{
		"a control character":                 "[\\x00-\\x08\\x0b-\\x1f\\x7f-\\x{9f}]",
		"an invisible character":              "[\\x{ad}\\x{61c}\\x{180e}\\x{200b}-\\x{200f}\\x{2028}-\\x{202e}\\x{2060}-\\x{206f}\\x{3164}\\x{feff}\\x{fff9}-\\x{fffb}\\x{e0000}-\\x{e0fff}]",
		"a command at the start of a line":    "(?m)^[\\s\\pZ]*::",
		"a command within a line":             "##[A-Za-z.-]*\\[",
		"a line that the program did not say": "(?m)^linux/s390x  sha256:FORGED",
	} {
		if at := regexp.MustCompile(pattern).FindStringIndex(text); at != nil {
			return name + ": " + text[max(0, at[0]-20):min(len(text), at[1]+20)]
		}
	}
	return ""
}
