package build

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/moby/buildkit/client"
	cmdbuild "github.com/moby/buildkit/cmd/buildctl/build"

	embedded "mtool/build/worker"
	"mtool/inspect/platform"
	"mtool/registry"
	"mtool/registry/regular"
	"mtool/registry/remote"
)

// withType expands a bare reference to a registry cache.
func withType(caches []string) (all []string) {
	for _, c := range caches {
		if !strings.Contains(c, "type=") {
			c = "type=registry,ref=" + c
		}
		all = append(all, c)
	}
	return all
}

// parseCaches reads the caches of one platform's request.
func parseCaches(x SpecOptions, p v1.Platform, several bool) (imports, exports []client.CacheOptionsEntry, err error) {
	if imports, err = cmdbuild.ParseImportCache(withType(x.CacheFrom)); err != nil {
		return nil, nil, registry.Usagef("a cache to read: %w", explain(err))
	}
	if exports, err = cmdbuild.ParseExportCache(withType(x.CacheTo)); err != nil {
		return nil, nil, registry.Usagef("a cache to write: %w", explain(err))
	}
	ownScopes(imports, p, several)
	ownScopes(exports, p, several)
	if several {
		perPlatform(exports, p)
		imports = withPlain(exports, imports, p)
	}
	return imports, exports, nil
}

// explain names the variables that a cache of type gha lacks.
func explain(err error) error {
	if !strings.Contains(err.Error(), "type gha requires") {
		return err
	}
	return errors.New("type=gha needs ACTIONS_RESULTS_URL and ACTIONS_RUNTIME_TOKEN, which are not both set; " +
		"in a job of GitHub Actions, crazy-max/ghaction-github-runtime sets them")
}

// checkCaches refuses the caches that the embedded worker can't use.
func checkCaches(s Spec) error {
	imports, exports, err := parseCaches(s.SpecOptions, s.Platforms[0], s.ofSeveral())
	if err != nil {
		return err
	}
	for _, c := range slices.Concat(imports, exports) {
		if err := embedded.CheckCache(c.Type, c.Attrs); err != nil {
			return err
		}
	}
	return nil
}

// ownScopes gives each platform its own scope of the cache of GitHub Actions, also where each is built by its own job:
// the last one to write a scope wins. A scope that the user named for one platform is its own already.
func ownScopes(caches []client.CacheOptionsEntry, p v1.Platform, several bool) {
	for _, e := range caches {
		if e.Type != "gha" {
			continue
		}
		if e.Attrs["scope"] == "" || several {
			e.Attrs["scope"] = cmp.Or(e.Attrs["scope"], "buildkit") + "-" + platform.Suffix(p)
		}
		if e.Attrs["timeout"] == "" {
			e.Attrs["timeout"] = "1m" // of a service that only fails; BuildKit tries again for ten
		}
	}
}

// perPlatform gives each of several platforms its own cache, since each is its own request and the last would win: a
// tag with the platform as a suffix, or a directory below the named one.
func perPlatform(caches []client.CacheOptionsEntry, p v1.Platform) {
	suffix := platform.Suffix(p)
	for _, e := range caches {
		switch e.Type {
		case "registry":
			if name := filepath.Base(e.Attrs["ref"]); strings.Contains(name, ":") {
				e.Attrs["ref"] += "-" + suffix
			} else {
				e.Attrs["ref"] += ":" + suffix
			}
		case "local":
			for _, key := range []string{"dest", "src"} {
				if e.Attrs[key] != "" {
					e.Attrs[key] = filepath.Join(e.Attrs[key], suffix)
				}
			}
		}
	}
}

// withPlain reads each platform's own cache and, unless that name is being written, the plain name too: a list
// whose images carry their caches, or the cache of a build of one platform.
func withPlain(exports, imports []client.CacheOptionsEntry, p v1.Platform) (all []client.CacheOptionsEntry) {
	for _, plain := range imports {
		if plain.Type == "gha" {
			all = append(all, plain) // in its own scope
			continue
		}
		own := client.CacheOptionsEntry{Type: plain.Type, Attrs: maps.Clone(plain.Attrs)}
		perPlatform([]client.CacheOptionsEntry{own}, p)
		all = append(all, own)
		written := slices.ContainsFunc(exports, func(e client.CacheOptionsEntry) bool {
			return e.Type == own.Type && e.Attrs["ref"] == own.Attrs["ref"] && e.Attrs["dest"] == own.Attrs["src"]
		})
		if !written {
			all = append(all, plain)
		}
	}
	return all
}

// existing drops local caches that do not exist yet: the first build on a machine has none.
func existing(imports []client.CacheOptionsEntry) (there []client.CacheOptionsEntry, err error) {
	for _, c := range imports {
		if c.Type == "local" {
			if _, err := os.Stat(filepath.Join(c.Attrs["src"], "index.json")); err != nil {
				continue
			}
			if err := regular.AllOfLayout(c.Attrs["src"]); err != nil { // BuildKit's client opens everything in it
				return nil, fmt.Errorf("%w: reading cache: %w", registry.ErrContent, err)
			}
		}
		there = append(there, c)
	}
	return there, nil
}

// written leaves out caches that their registry does not have: BuildKit reports each as an error, also those of other
// platforms' names. A registry that does not answer stays for the worker, which may reach it.
func written(ctx context.Context, o Options, imports []client.CacheOptionsEntry) []client.CacheOptionsEntry {
	if o.Client == nil {
		return imports
	}
	var absent []string
	there := slices.DeleteFunc(slices.Clone(imports), func(c client.CacheOptionsEntry) bool {
		ref, err := registry.ParseRef("docker://" + c.Attrs["ref"])
		if c.Type != "registry" || err != nil {
			return false
		}
		_, err = o.Client.Repository(ref, remote.Pull).Resolve(ctx, ref)
		if !errors.Is(err, registry.ErrNotFound) {
			return false
		}
		absent = append(absent, c.Attrs["ref"])
		return true
	})
	if len(there) == 0 && len(absent) > 0 {
		o.say("note: there is no cache to read yet: " + strings.Join(absent, ", "))
	}
	return there
}
