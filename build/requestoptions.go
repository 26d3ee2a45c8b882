package build

import (
	"strconv"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/moby/buildkit/client"
	"github.com/moby/buildkit/session/secrets/secretsprovider"
	"github.com/moby/buildkit/session/sshforward/sshprovider"
	"github.com/moby/buildkit/util/entitlements"

	"mtool/registry"
)

// extraAttrs sets the frontend's options for the extras.
// https://github.com/moby/buildkit/blob/master/frontend/dockerui/config.go
func extraAttrs(a map[string]string, x SpecOptions) {
	for key, value := range map[string]string{
		"add-hosts":          strings.Join(x.AddHosts, ","),
		"ulimit":             strings.Join(x.Ulimits, ","),
		"cgroup-parent":      x.CgroupParent,
		"no-cache":           strings.Join(x.NoCacheStages, ","),
		"force-network-mode": strings.TrimPrefix(strings.TrimPrefix(x.Network, "default"), NetworkSandbox),
		"attest:provenance":  provenance(x.Provenance),
		"attest:sbom":        sbom(x.SBOM),
	} {
		if value != "" {
			a[key] = value
		}
	}
	syntaxAttrs(a, x.Syntax)
	if x.ShmSize > 0 {
		a["shm-size"] = strconv.FormatInt(x.ShmSize, 10)
	}
	if x.Pull {
		a["image-resolve-mode"] = "pull"
	}
	for name, given := range x.Contexts {
		key := "context:" + contextKey(name)
		switch {
		case strings.HasPrefix(given, imageScheme), isRemote(given) && !isImage(given):
			a[key] = given // for the worker; if the store has the image, the key with the platform wins
		case !isImage(given):
			a[key] = "local:" + contextMount(name)
		}
	}
}

// provenance returns BuildKit's spelling, which has no "true".
func provenance(s string) string {
	switch s {
	case "", "false":
		return ""
	case "true":
		return "mode=min"
	}
	return s
}

// sbom returns BuildKit's spelling of the generator, which may be an image alone.
func sbom(s string) string {
	if s == "" || s == "false" || strings.Contains(s, "generator=") {
		return strings.TrimPrefix(s, "false")
	}
	return "generator=" + s
}

// addExtras adds what is not an option of the frontend: secrets, keys, caches, exports.
func addExtras(o *client.SolveOpt, job Job, p v1.Platform) (err error) {
	x := job.Spec.SpecOptions
	if err := addSession(o, x); err != nil {
		return registry.Usagef("%w", err)
	}
	if x.Network == "host" {
		o.AllowedEntitlements = append(o.AllowedEntitlements, string(entitlements.EntitlementNetworkHost))
	}
	o.AllowedEntitlements = append(o.AllowedEntitlements, job.Spec.Allow...)
	if o.CacheImports, o.CacheExports, err = parseCaches(x, p, job.Spec.ofSeveral()); err != nil {
		return err
	}
	if o.CacheImports, err = existing(o.CacheImports); err != nil {
		return err
	}
	for _, e := range x.Exports {
		o.Exports = append(o.Exports, fileExport(e, job.Spec, p))
	}
	return nil
}

func addSession(o *client.SolveOpt, x SpecOptions) error {
	var sources []secretsprovider.Source
	for _, s := range x.Secrets {
		sources = append(sources, secretsprovider.Source{ID: s.ID, FilePath: s.File, Env: s.Env})
	}
	if len(sources) > 0 {
		store, err := secretsprovider.NewStore(sources)
		if err != nil {
			return err
		}
		o.Session = append(o.Session, secretsprovider.NewSecretProvider(store))
	}
	var agents []sshprovider.AgentConfig
	for _, s := range x.SSH {
		agents = append(agents, sshprovider.AgentConfig{ID: s.ID, Paths: s.Paths})
	}
	if len(agents) > 0 {
		provider, err := sshprovider.NewSSHAgentProvider(agents)
		if err != nil {
			return err
		}
		o.Session = append(o.Session, provider)
	}
	return nil
}
