package emulator

import (
	"github.com/containerd/platforms"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/tonistiigi/go-archvariant"
)

// Detect describes the machine that this program runs on.
func Detect() Host {
	p := platforms.DefaultSpec()
	h := Host{Platform: v1.Platform{OS: p.OS, Architecture: p.Architecture, Variant: p.Variant}}
	switch {
	case h.Platform.Architecture == "amd64":
		h.Platform.Variant = archvariant.AMD64Variant()
		if runs386() {
			h.Also = []string{"386"}
		}
	case h.Platform.Architecture == "arm64" && runsAArch32():
		h.Also = []string{"arm"}
	}
	return h
}
