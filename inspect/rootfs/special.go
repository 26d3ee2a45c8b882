package rootfs

import (
	"archive/tar"
	"slices"
	"strings"
)

// Overlay file systems and their tools keep state in extended attributes of files. Whether a runtime sets those of a
// layer depends on the runtime, its privileges and its storage. They can reveal hidden files, and hide visible ones.
// https://www.kernel.org/doc/html/latest/filesystems/overlayfs.html, https://github.com/containers/fuse-overlayfs
const (
	xattr        = "SCHILY.xattr."
	kernelPrefix = "trusted.overlay."
	userPrefix   = "user.overlay."
)

func storagePrefixes() []string {
	return []string{kernelPrefix, userPrefix, "user.fuseoverlayfs.", "security.fuseoverlayfs.", "user.containers."}
}

// harmless reports whether an attribute of the kernel's overlayfs names no other file and hides none. Such attributes
// sometimes leak into layers.
func harmless(attribute string) bool {
	name := strings.TrimPrefix(strings.TrimPrefix(attribute, kernelPrefix), userPrefix)
	return slices.Contains([]string{"impure", "nlink", "origin", "uuid"}, name)
}

// storageAttribute reports whether an extended attribute controls a storage.
func storageAttribute(attribute string) bool {
	return slices.ContainsFunc(storagePrefixes(), func(p string) bool { return strings.HasPrefix(attribute, p) }) &&
		!harmless(attribute)
}

// checkSpecial refuses an entry that some runtimes treat differently than the layer's format says.
func checkSpecial(name string, h *tar.Header) error {
	for key := range h.PAXRecords {
		attribute, ok := strings.CutPrefix(key, xattr)
		switch {
		case ok && storageAttribute(attribute):
			return ambiguous(name, "the attribute "+attribute+", which is reserved for storages")
		case h.Typeflag == tar.TypeXGlobalHeader && !irrelevant(key):
			return ambiguous(name, "a global header that sets "+key+" for all following entries")
		}
	}
	if h.Typeflag == tar.TypeChar && h.Devmajor == 0 && h.Devminor == 0 {
		return ambiguous(name, "a device 0:0, which is overlayfs's whiteout")
	}
	for dir := range parts(parent(name)) {
		if strings.HasPrefix(dir, whiteout) && !strings.HasPrefix(dir, metadata) {
			return ambiguous(name, "it lies in a directory that is named like a whiteout")
		}
	}
	if h.Typeflag == tar.TypeXGlobalHeader && strings.HasPrefix(base(name), whiteout) {
		return ambiguous(name, "a global header that is named like a whiteout")
	}
	return nil
}

// irrelevant reports whether a record of a global header changes nothing that matters here.
// https://pubs.opengroup.org/onlinepubs/9799919799/utilities/pax.html
func irrelevant(record string) bool {
	return slices.Contains([]string{"comment", "atime", "ctime", "mtime", "uid", "gid", "uname", "gname"}, record)
}
