package worker

import (
	"slices"
	"strconv"

	resolverconfig "github.com/moby/buildkit/util/resolver/config"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"

	"mtool/build/emulator"
)

// runnable returns the platforms of a worker, the machine's own first: BuildKit uses that one as BUILDPLATFORM. They
// are not tried, since that would take longer than the rest of the start.
func runnable(h emulator.Host, emulators []emulator.Found) []ocispecs.Platform {
	own := ocispecs.Platform{OS: h.Platform.OS, Architecture: h.Platform.Architecture, Variant: h.Platform.Variant}
	archs := slices.Clone(h.Also)
	for _, e := range emulators {
		archs = append(archs, e.Arch)
	}
	var all []ocispecs.Platform
	if own.Architecture == "amd64" { // a level includes those below; the lowest has no name
		highest := own.Variant
		own.Variant = ""
		all = append(all, own)
		for level := 2; "v"+strconv.Itoa(level) <= highest; level++ {
			all = append(all, withVariant(own, level))
		}
	} else {
		all = append(all, own)
	}
	for _, arch := range archs {
		p := ocispecs.Platform{OS: own.OS, Architecture: arch}
		if arch == "arm" {
			all = append(all, withVariant(p, 7), withVariant(p, 6), withVariant(p, 5))
			continue
		}
		all = append(all, p)
	}
	return all
}

func withVariant(p ocispecs.Platform, level int) ocispecs.Platform {
	p.Variant = "v" + strconv.Itoa(level)
	return p
}

// registryHosts returns how to fetch base images.
func registryHosts(c config) map[string]resolverconfig.RegistryConfig {
	yes := true
	hosts := map[string]resolverconfig.RegistryConfig{}
	for _, h := range c.Registries.PlainHTTP {
		hosts[h] = resolverconfig.RegistryConfig{PlainHTTP: &yes}
	}
	for _, h := range c.Registries.SkipVerify {
		r := hosts[h]
		r.Insecure = &yes
		hosts[h] = r
	}
	return hosts
}
