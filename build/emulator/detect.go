package emulator

import (
	"github.com/containerd/platforms"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/tonistiigi/go-archvariant"
)

// Detect describes the machine that this program runs on. Another architecture is native when a program of it has just
// run: that takes about a millisecond, and a stored answer may come from another container or an earlier configuration.
func Detect() Host {
	p := platforms.DefaultSpec()
	h := Host{Platform: v1.Platform{OS: p.OS, Architecture: p.Architecture, Variant: p.Variant}}
	if h.Platform.Architecture == "amd64" {
		h.Platform.Variant = archvariant.AMD64Variant()
	}
	if narrow := Narrow(h.Platform.Architecture); narrow != "" && executes(narrow) {
		h.Also = []string{narrow}
	}
	return h
}

// Narrow returns the 32-bit architecture whose programs processors of arch may execute too, "" for none.
func Narrow(arch string) string {
	switch arch {
	case "amd64":
		return "386"
	case "arm64":
		return "arm"
	}
	return ""
}
