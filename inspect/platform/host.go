package platform

import (
	"runtime"

	"github.com/containerd/platforms"
	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// Host returns the platform of this machine: the operating system and the architecture that mtool runs as, with the
// variant of a 32-bit ARM processor. It never states an os.version.
func Host() v1.Platform {
	p := v1.Platform{OS: runtime.GOOS, Architecture: runtime.GOARCH}
	if p.Architecture == "arm" {
		// containerd's table reads /proc/cpuinfo or uname.
		p.Variant = platforms.DefaultSpec().Variant
	}
	return Normalize(p)
}
