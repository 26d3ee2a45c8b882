package launch

import (
	"strings"

	"mvdan.cc/sh/v3/syntax"
)

// word is one word of a command line.
type word struct {
	text  string // the known beginning of the word
	plain bool   // the text is the whole word, without anything to expand
}

// words returns the words of a command, with $1, "$@" and the like expanded.
func (s *script) words(args []*syntax.Word) []word {
	var all []word
	for _, w := range args {
		if values, ok := s.parameters(w); ok {
			all = append(all, values...)
		} else {
			all = append(all, literal(w.Parts))
		}
	}
	return all
}

// literal returns a word without expansion.
func literal(parts []syntax.WordPart) word {
	var text strings.Builder
	for _, part := range parts {
		switch part := part.(type) {
		case *syntax.Lit:
			text.WriteString(part.Value)
			if strings.ContainsAny(part.Value, "*?[{~$\\") && part.Value != "[" {
				return word{text: text.String()}
			}
		case *syntax.SglQuoted:
			text.WriteString(part.Value)
		case *syntax.DblQuoted:
			for _, inner := range part.Parts {
				lit, ok := inner.(*syntax.Lit)
				if !ok || strings.ContainsAny(lit.Value, "$\\") {
					return word{text: text.String()}
				}
				text.WriteString(lit.Value)
			}
		default:
			return word{text: text.String()}
		}
	}
	return word{text: text.String(), plain: true}
}

// parameters returns the values of a word that consists of one parameter of the script.
func (s *script) parameters(w *syntax.Word) (values []word, ok bool) {
	parts, quoted := w.Parts, false
	if q, is := parts[0].(*syntax.DblQuoted); is && len(parts) == 1 {
		parts, quoted = q.Parts, true
	}
	if len(parts) != 1 {
		return nil, false
	}
	name, params := parameter(parts[0]), s.params
	switch {
	case name == "@", name == "*" && len(params) < 2:
	case len(name) == 1 && name[0] >= '1' && name[0] <= '9' && int(name[0]-'0') <= len(params):
		params = params[name[0]-'1' : name[0]-'0']
	default:
		return nil, false
	}
	for _, p := range params {
		if !quoted && (p == "" || strings.ContainsAny(p, " \t\n*?[")) {
			return nil, false // the shell splits or expands it
		}
		values = append(values, word{text: p, plain: true})
	}
	return values, true
}

// parameter returns the name in $NAME or ${NAME}; "" for other expansions.
func parameter(part syntax.WordPart) string {
	e, ok := part.(*syntax.ParamExp)
	if !ok || e.Param == nil || e.Length || e.Excl || e.Index != nil || e.Slice != nil || e.Repl != nil || e.Exp != nil ||
		e.Names != 0 {
		return ""
	}
	return e.Param.Value
}

// assigned returns the assignments before a command whose values are known, and reports whether PATH is still known.
func assigned(cmd *syntax.CallExpr) (all []string, known bool) {
	for _, a := range cmd.Assigns {
		value := word{plain: true}
		if a.Value != nil {
			value = literal(a.Value.Parts)
		}
		switch {
		case value.plain && !a.Append:
			all = append(all, a.Name.Value+"="+value.text)
		case a.Name.Value == "PATH":
			return nil, false
		}
	}
	return all, true
}

// plainWords returns the words before the first one that is not plain.
func plainWords(words []word) []string {
	var plain []string
	for _, w := range words {
		if !w.plain {
			break
		}
		plain = append(plain, w.text)
	}
	return plain
}

// substitution returns the position of the first command substitution; it is not valid if there is none.
func substitution(node syntax.Node) (at syntax.Pos) {
	syntax.Walk(node, func(n syntax.Node) bool {
		switch n.(type) {
		case *syntax.CmdSubst, *syntax.ProcSubst:
			if !at.IsValid() {
				at = n.Pos()
			}
		}
		return true
	})
	return at
}
