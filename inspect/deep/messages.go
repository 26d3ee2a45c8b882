package deep

import (
	"fmt"
	"strings"

	"mtool/inspect"
	"mtool/inspect/binary"
	"mtool/inspect/rootfs"
)

// wrong is what is wrong with a file, and what comes of it: "the entrypoint /app is an amd64 program (layer 2, sha256:…): exec
// format error when started".
func (s *suspect) wrong(e rootfs.Entry, role string) inspect.Finding {
	f := s.fileFinding(e, role)
	f.Evidence = s.fact.String()
	where := fmt.Sprintf("(layer %d, %s)", e.Layer+1, inspect.Short(e.Digest))
	subject := s.judgement.name() + ": " + subjectOf(role, e.Path)
	if what := s.what(); what != "" {
		f.Message = fmt.Sprintf("%s %s %s: %s", subject, what, where, s.consequence(role))
	} else {
		f.Message = fmt.Sprintf("%s: %s %s", subject, s.why, where)
	}
	if e.File.Problem != "" {
		f.Message += "; " + e.File.Problem
	}
	return f
}

// subjectOf is how a message names a file.
func subjectOf(role, path string) string {
	if role == roleOther || role == roleShared || role == roleObject {
		return "/" + path
	}
	return "the " + role + " /" + path
}

// what a file is, for people; "" where its machine is the platform's, and something else is wrong.
func (s *suspect) what() string {
	f := s.fact
	arch := f.Arch
	if len(f.Archs) > 0 {
		arch = strings.Join(f.Archs, " and ")
	}
	switch {
	case f.Kind.ELF() && f.Machine == 0:
		return "has no machine in its header (e_machine 0)"
	case f.Kind == binary.PE && f.OS == "windows" && s.platform.OS != "windows":
		return "is a Windows program for " + arch
	case f.Kind == binary.MachO && s.platform.OS != "darwin":
		return "is a macOS program for " + arch
	case s.verdict != binary.Wrong || arch == "" || arch == s.platform.Architecture || !f.Kind.ELF():
		return ""
	}
	return "is " + an(arch) + " " + s.noun()
}

func (s *suspect) noun() string {
	switch {
	case isModule(s.path, s.fact):
		return "kernel module"
	case s.fact.Kind == binary.ELFObject:
		return "object"
	case s.plugin():
		return "Go plugin"
	case s.fact.Kind == binary.ELFShared && s.fact.Interp == "":
		return "library"
	}
	return "program"
}

// an is a machine with its article.
func an(arch string) string {
	if strings.ContainsAny(arch[:1], "aeio") || strings.HasPrefix(arch, "s390") || strings.HasPrefix(arch, "x") || strings.HasPrefix(arch, "sw") {
		return "an " + arch
	}
	return "a " + arch
}

func (s *suspect) consequence(role string) string {
	switch {
	case s.object():
		return "it can't be loaded or linked"
	case role == roleShared || role == roleLibc:
		return "it can't be loaded"
	case s.fact.Arch == "arm" && s.platform.Architecture == "arm64":
		return "exec format error when started, since 32-bit programs are optional on arm64"
	}
	return "exec format error when started"
}
