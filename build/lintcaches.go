package build

import (
	"maps"
	"path"
	"slices"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/moby/buildkit/frontend/dockerfile/instructions"

	"mtool/inspect/platform"
)

// caches finds cache mounts without an id that steps of several platforms use: their id is the path, so all share one
// directory, at the same time. Many programs, such as apt and npm, damage a cache that way.
func (l *linting) caches(all []requirements) {
	type use struct {
		line int
		on   v1.Platform
	}
	uses := map[string][]use{} // by path
	for _, n := range all {
		for _, v := range n.Visited {
			for _, command := range l.d.stages[v.stage].Commands {
				for _, target := range sharedCaches(command) {
					uses[target] = append(uses[target], use{first(command.Location()), v.on})
				}
			}
		}
	}
	for _, target := range slices.Sorted(maps.Keys(uses)) {
		of := uses[target]
		var names []string
		for _, u := range of {
			if name := platform.Format(u.on); !slices.Contains(names, name) {
				names = append(names, name)
			}
		}
		for _, u := range of {
			if len(names) > 1 {
				l.warn(ruleCache, u.line, "the cache mount %s is one directory for %s, used at the same time: "+
					"add sharing=locked, or an id for each platform, such as id=%s-$TARGETPLATFORM after ARG TARGETPLATFORM",
					target, strings.Join(names, " and "), path.Base(target))
			}
		}
	}
}

// sharedCaches returns the paths of a step's cache mounts that others may use at the same time and that have no id.
func sharedCaches(command instructions.Command) (targets []string) {
	c, ok := command.(*instructions.RunCommand)
	if !ok {
		return nil
	}
	for _, m := range instructions.GetMounts(c) {
		shared := m.CacheSharing == "" || m.CacheSharing == instructions.MountSharingShared
		if m.Type == instructions.MountTypeCache && m.CacheID == "" && shared {
			targets = append(targets, path.Clean(m.Target))
		}
	}
	return targets
}
