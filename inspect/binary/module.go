package binary

import "bytes"

// moduleInfo finds out whether an object in a stream is a Linux kernel module. Section names come at the end of a
// file, but .modinfo has the kernel version for which the module was built, without which it can't be loaded.
// https://docs.kernel.org/kbuild/modules.html
type moduleInfo struct {
	wanted bool
	found  bool
}

// moduleVersion is the start of that line, after the end of the previous one. It is shorter than the overlap of
// windows.
const moduleVersion = "\x00vermagic="

func (m *moduleInfo) see(b []byte) bool {
	m.found = m.found || m.wanted && bytes.Contains(b, []byte(moduleVersion))
	return m.wanted && !m.found
}
