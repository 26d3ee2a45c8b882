package binary

import "bytes"

// moduleInfo finds out whether an object that passes is a module of Linux. The names of sections stand at the end of a
// file; but in .modinfo is the version for which a module was built, without which none is loaded.
// https://docs.kernel.org/kbuild/modules.html
type moduleInfo struct {
	wanted bool
	found  bool
}

// moduleVersion is how that line begins, behind the end of the one before. It is shorter than what windows share.
const moduleVersion = "\x00vermagic="

func (m *moduleInfo) see(b []byte) bool {
	m.found = m.found || m.wanted && bytes.Contains(b, []byte(moduleVersion))
	return m.wanted && !m.found
}
