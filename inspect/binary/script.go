package binary

import (
	"bytes"
	"strings"
)

// scriptHead is how many bytes of a script Linux reads, BINPRM_BUF_SIZE. Before Linux 5.1 it was 128.
const scriptHead = 256

// readScript parses the first line as the kernel does, not as a shell would: the interpreter ends at the first blank,
// and the rest of the line is one argument, including blanks within it. If the kernel refuses the line, Interp is
// empty; a shell then runs the file itself. https://elixir.bootlin.com/linux/latest/source/fs/binfmt_script.c
func readScript(s *stream) Fact {
	f := Fact{Kind: Script}
	head := s.peek(0, scriptHead)
	line, ok := scriptLine(head[2:], len(head) == scriptHead)
	if !ok {
		return f
	}
	line = strings.Trim(line, " \t")
	end := strings.IndexAny(line, " \t")
	if end < 0 {
		end = len(line)
	}
	f.Interp, f.InterpArg = line[:end], strings.TrimLeft(line[end:], " \t")
	if f.forShell() {
		f.Script = scriptBody(s)
	}
	return f
}

// scriptBody returns the body of a short script, such as one that sets a few variables and starts a program, without
// its comments.
func scriptBody(s *stream) string {
	const most, page = 256, 4 << 10
	all := s.peek(0, page)
	if len(all) == page {
		return ""
	}
	_, body, _ := bytes.Cut(all, []byte("\n"))
	var kept strings.Builder
	for line := range bytes.Lines(body) {
		if trimmed := bytes.TrimLeft(line, " \t"); len(bytes.TrimSpace(trimmed)) == 0 || trimmed[0] == '#' {
			continue
		}
		if kept.Len()+len(line) > most {
			return ""
		}
		kept.Write(line)
	}
	return kept.String()
}

// forShell reports whether the interpreter is a shell.
func (f Fact) forShell() bool {
	name := f.Interp[strings.LastIndexByte(f.Interp, '/')+1:]
	if name == "env" {
		name = f.InterpArg
	}
	switch name {
	case "sh", "ash", "bash", "dash", "ksh", "mksh", "zsh":
		return true
	}
	return false
}

// scriptLine returns the first line after "#!", cut off where the kernel stops reading. A line that fills the whole
// buffer counts only if the name of the interpreter is surely complete, as a blank after it shows.
func scriptLine(head []byte, full bool) (string, bool) {
	stop := bytes.IndexAny(head, "\n\x00")
	if stop >= 0 {
		return string(head[:stop]), true
	}
	if !full {
		return string(head), true // the kernel's buffer ends in zeros
	}
	if !bytes.ContainsAny(bytes.TrimLeft(head, " \t"), " \t") {
		return "", false
	}
	return string(head[:len(head)-1]), true
}
