package emulator

import (
	"github.com/containerd/platforms"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/tonistiigi/go-archvariant"
)

// Detect describes the machine that this program runs on. A further architecture is native when a program of it ran just now:
// that takes about a millisecond, and what is remembered may come from another container or an earlier configuration.
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

// Narrow is the 32-bit architecture whose programs processors of arch may execute too, "" for none.
func Narrow(arch string) string {
	switch arch {
	case "amd64":
		return "386"
	case "arm64":
		return "arm"
	}
	return ""
}
