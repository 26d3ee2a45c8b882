package deep

import (
	"fmt"
	"strings"

	"mtool/inspect"
	"mtool/inspect/binary"
	"mtool/inspect/rootfs"
)

// mismatch returns what is wrong with a file, and the consequence: "the entrypoint /app is an amd64 program (layer 2,
// sha256:…): exec format error when started".
func (s *suspect) mismatch(e rootfs.Entry, role string) inspect.Finding {
	f := s.fileFinding(e, role)
	f.Evidence = s.fact.String()
	f.Message = fmt.Sprintf("%s: %s %s %s: %s",
		s.judgement.name(), subjectOf(role, e.Path), s.description(), inLayer(e), s.consequence(role))
	if e.File.Problem != "" {
		f.Message += "; " + e.File.Problem
	}
	return f
}

// inLayer returns the layer of a file, for messages.
func inLayer(e rootfs.Entry) string {
	return fmt.Sprintf("(layer %d, %s)", e.Layer+1, inspect.Short(e.Digest))
}

// subjectOf returns how a message names a file.
func subjectOf(role, path string) string {
	if role == roleOther || role == roleShared || role == roleObject {
		return "/" + path
	}
	return "the " + role + " /" + path
}

// description returns what a file is, for messages: "is an amd64 program".
func (s *suspect) description() string {
	if s.fault.what != "" {
		return s.fault.what
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
		return "does not state which processor it needs"
	case foreign || arch == "" || !f.Kind.ELF():
		return "is " + an(f.String())
	}
	return "is " + an(arch) + " " + s.noun()
}

// system returns the name of another operating system whose format the file has; "" if none.
func (s *suspect) system() string {
	switch f := s.fact; {
	case f.Kind == binary.PE && f.OS == "windows" && s.platform.OS != "windows":
		return "Windows"
	case f.Kind == binary.MachO && s.platform.OS != "darwin":
		return "macOS"
	}
	return ""
}

// summary returns what a file is and, if only its machine fits, the consequence.
func (s *suspect) summary() string {
	if s.fault.consequence == "" {
		return s.description()
	}
	return s.description() + ": " + s.fault.consequence
}

func (s *suspect) noun() string {
	switch {
	case isModule(s.path, s.fact):
		return "kernel module"
	case s.fact.Kind == binary.ELFObject:
		return "object"
	case s.isPlugin():
		return "Go plugin"
	case s.fact.Kind == binary.ELFShared && s.fact.Interp == "":
		return "library"
	}
	return "program"
}

// an returns a machine, or the description of a file, with its indefinite article.
func an(what string) string {
	if strings.ContainsAny(what[:1], "aeioEM.") || strings.HasPrefix(what, "s390") || strings.HasPrefix(what, "x") ||
		strings.HasPrefix(what, "sw") {
		return "an " + what
	}
	return "a " + what
}

func (s *suspect) consequence(role string) string {
	switch {
	case s.fault.consequence != "":
		return s.fault.consequence
	case s.unused && (role == roleShared || role == roleObject):
		return "nothing is known to load it"
	case s.unused:
		return "nothing is known to start it"
	case s.platform.OS != "linux" && s.verdict == binary.OtherOS:
		return "programs of " + s.platform.OS + " have another format"
	case s.isObject():
		return "it can't be loaded or linked"
	case role == roleShared || role == roleLibc:
		return notLoaded
	case s.fact.Arch == "arm" && s.platform.Architecture == "arm64":
		return "exec format error when started, since 32-bit programs are optional on arm64"
	}
	return "exec format error when started"
}
