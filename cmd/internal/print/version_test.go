package print

import (
	"runtime/debug"
	"testing"
)

func TestReadVersion(t *testing.T) {
	t.Parallel()
	const archived = "0123456789abcdef 2026-11-30T13:02:23+01:00 HEAD -> main, tag: v1.2.0, origin/main\n"
	clone := []debug.BuildSetting{{Key: "vcs.revision", Value: "fedcba"}, {Key: "vcs.time", Value: "2026-01-02T03:04:05Z"}}
	dirty := append(clone[:2:2], debug.BuildSetting{Key: "vcs.modified", Value: "true"})
	deps := []*debug.Module{{Path: "github.com/moby/buildkit", Version: "v0.30.0"}}
	for name, test := range map[string]struct {
		main     string
		settings []debug.BuildSetting
		archived string
		want     VersionInfo
	}{
		"a tag in a clone": {
			"v1.0.0", clone, "$Format:%H %cI %D$",
			VersionInfo{Version: "1.0.0", Commit: "fedcba", Date: "2026-01-02T03:04:05Z"},
		},
		"changes in a clone": {
			"v1.0.0+dirty", dirty, "",
			VersionInfo{Version: "1.0.0+dirty", Commit: "fedcba", Date: "2026-01-02T03:04:05Z", Modified: true},
		},
		"go install": {"v1.0.0", nil, "$Format:%H %cI %D$", VersionInfo{Version: "1.0.0"}},
		"an archive of a tag": {
			"(devel)", nil, archived,
			VersionInfo{Version: "1.2.0", Commit: "0123456789abcdef", Date: "2026-11-30T12:02:23Z"},
		},
		"an archive of a branch": {
			"(devel)", nil, "0123 2026-11-30T13:02:23Z main",
			VersionInfo{Version: "devel", Commit: "0123", Date: "2026-11-30T13:02:23Z"},
		},
		"a copy without git": {"", nil, "$Format:%H %cI %D$", VersionInfo{Version: "devel"}},
	} {
		test.want.BuildKit = "v0.30.0"
		got := ReadVersion(&debug.BuildInfo{Main: debug.Module{Version: test.main}, Settings: test.settings, Deps: deps},
			test.archived)
		if got.Version != test.want.Version || got.Commit != test.want.Commit || got.Date != test.want.Date ||
			got.Modified != test.want.Modified || got.BuildKit != test.want.BuildKit {
			t.Errorf("%s: got %+v, want %+v", name, got, test.want)
		}
	}
}
