package deep

import (
	"fmt"
	"strings"

	"mtool/inspect"
	"mtool/inspect/binary"
	"mtool/inspect/rootfs"
)

// wrong is what is wrong with a file, and what comes of it: "the entrypoint /app is an amd64 program (layer 2,
// sha256:…): exec format error when started".
func (s *suspect) wrong(e rootfs.Entry, role string) inspect.Finding {
	f := s.fileFinding(e, role)
	f.Evidence = s.fact.String()
	f.Message = fmt.Sprintf("%s: %s %s %s: %s", s.judgement.name(), subjectOf(role, e.Path), s.what(), place(e),
		s.consequence(role))
	if e.File.Problem != "" {
		f.Message += "; " + e.File.Problem
	}
	return f
}

// place is the layer of a file.
func place(e rootfs.Entry) string {
	return fmt.Sprintf("(layer %d, %s)", e.Layer+1, inspect.Short(e.Digest))
}

// subjectOf is how a message names a file.
func subjectOf(role, path string) string {
	if role == roleOther || role == roleShared || role == roleObject {
		return "/" + path
	}
	return "the " + role + " /" + path
}

// what a file is, for people: "is an amd64 program".
func (s *suspect) what() string {
	if s.fault.is != "" {
		return s.fault.is
	}
	f := s.fact
	arch := f.Arch
	if len(f.Archs) > 0 {
		arch = strings.Join(f.Archs, " and ")
	}
	foreign := s.verdict == binary.OtherOS || f.OS != "" && f.OS != s.platform.OS
	switch {
	case f.Kind.ELF() && f.Machine == 0:
		return "has no machine in its header (e_machine 0)"
	case s.system() != "":
		return "is a " + s.system() + " program for " + arch
	case s.verdict == binary.Unstated:
		return "does not say which processor it needs"
	case foreign || arch == "" || !f.Kind.ELF():
		return "is " + an(f.String())
	}
	return "is " + an(arch) + " " + s.noun()
}

// system is the name of another operating system whose format the file has, "" for none.
func (s *suspect) system() string {
	switch f := s.fact; {
	case f.Kind == binary.PE && f.OS == "windows" && s.platform.OS != "windows":
		return "Windows"
	case f.Kind == binary.MachO && s.platform.OS != "darwin":
		return "macOS"
	}
	return ""
}

// whole is what a file is, and what comes of it where its machine is right.
func (s *suspect) whole() string {
	if s.fault.so == "" {
		return s.what()
	}
	return s.what() + ": " + s.fault.so
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

// an is a machine, or what a file is, with its article.
func an(what string) string {
	if strings.ContainsAny(what[:1], "aeioEM.") || strings.HasPrefix(what, "s390") || strings.HasPrefix(what, "x") ||
		strings.HasPrefix(what, "sw") {
		return "an " + what
	}
	return "a " + what
}

func (s *suspect) consequence(role string) string {
	switch {
	case s.fault.so != "":
		return s.fault.so
	case s.unused && (role == roleShared || role == roleObject):
		return "nothing is known to load it"
	case s.unused:
		return "nothing is known to start it"
	case s.platform.OS != "linux" && s.verdict == binary.OtherOS:
		return "programs of " + s.platform.OS + " have another format"
	case s.object():
		return "it can't be loaded or linked"
	case role == roleShared || role == roleLibc:
		return notLoaded
	case s.fact.Arch == "arm" && s.platform.Architecture == "arm64":
		return "exec format error when started, since 32-bit programs are optional on arm64"
	}
	return "exec format error when started"
}
