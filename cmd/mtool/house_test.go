package main_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// graph maps each package to its imports. Paths of this module are without its name ("registry/store").
type graph map[string][]string

// rule forbids some imports. broken is an import that it forbids and kept a similar one that it allows, to test the
// rule.
type rule struct {
	name         string
	reason       string
	forbids      func(from, to string) bool
	broken, kept [2]string
}

// floors orders the rooms: imports point to a lower floor. Rooms on one floor never meet.
var floors = map[string]int{
	"cmd/mtool": 8, "cmd/internal/release": 8, "cmd/internal/faults": 8, "cmd/internal/cli": 7, "cmd/internal/progress": 6, "cmd/internal/trace": 6,
	"cmd/internal/print": 5, "cmd/internal/app": 4,
	"build": 3, "compose": 3, "inspect": 2, "registry": 1,
}

// leaves import no package of this module, and every package may import them.
var leaves = []string{
	"inspect/platform", "inspect/binary", "inspect/launch", "inspect/rpmdb",
	"build/advice", "build/device", "build/emulator", "build/fingerprint", "build/netns", "build/snapshot",
	"registry/regular", "registry/compression", "registry/strictyaml",
}

// started is the child that build imports. It imports nothing of build, so build can start it without an interface.
const started = "build/worker"

// helpers are packages that only tests may import.
var helpers = []string{"registry/registrytest", "cmd/internal/testparts", "cmd/internal/faults"}

var rules = []rule{
	{
		name: "downwards", reason: "a package that imports its callers can't be used without them",
		forbids: func(from, to string) bool {
			return own(to) && !leaf(to) && room(from) != room(to) && floors[room(from)] <= floors[room(to)]
		},
		broken: [2]string{"build", "compose"}, kept: [2]string{"cmd/internal/app", "compose/draft"},
	},
	{
		name: "leaf", reason: "packages that all others import must not bring more with them",
		forbids: func(from, to string) bool { return leaf(from) && own(to) },
		broken:  [2]string{"build/emulator", "inspect/platform"}, kept: [2]string{"registry", "inspect/platform"},
	},
	{
		name: "siblings", reason: "children import their room's root; code that needs two of them belongs in the root or above",
		forbids: func(from, to string) bool {
			return own(to) && room(from) == room(to) && room(from) != from && room(to) != to && !mayMeet(from, to)
		},
		broken: [2]string{"registry/store", "registry/archive"}, kept: [2]string{"registry/source", "registry/archive"},
	},
	{
		name: "roots", reason: "a root holds the values that its children share, so that they need not import each other",
		forbids: func(from, to string) bool {
			return room(from) == from && room(to) == from && !leaf(to) && to != started
		},
		broken: [2]string{"compose", "compose/draft"}, kept: [2]string{"inspect", "inspect/platform"},
	},
	{
		name: "helpers", reason: "test helpers do not belong in the program",
		forbids: func(from, to string) bool { return slices.Contains(helpers, to) && !slices.Contains(helpers, from) },
		broken:  [2]string{"registry/source", "registry/registrytest"}, kept: [2]string{"registry/registrytest", "registry"},
	},
	{
		name: "known", reason: "every package has a place in the house",
		forbids: func(from, _ string) bool { return !own(from) && !slices.Contains(helpers, from) },
		broken:  [2]string{"util/strings", "registry"}, kept: [2]string{"inspect/workload", "registry"},
	},
	door("github.com/spf13/cobra", "the code that a command calls must work without a command line", "cmd/internal/cli"),
	door("github.com/distribution/reference", "one parser of names", "registry"),
	door("github.com/google/go-containerregistry/pkg/authn", "credentials are looked up in one order", "registry/login"),
	door("github.com/google/go-containerregistry/pkg/v1/tarball", "Docker archives are read in one place",
		"registry/archive"),
	door("github.com/google/go-containerregistry/pkg/v1/remote",
		"it makes more requests than needed; registry/remote implements the specification itself"),
	door("github.com/google/go-containerregistry/pkg/v1/layout",
		"it writes without locks; use registry/store and registry/archive"),
	door("github.com/google/go-containerregistry/pkg/registry", "a registry for tests", "registry/registrytest"),
	door("mvdan.cc/sh", "start scripts are read in one place", "inspect/launch"),
	door("github.com/moby/buildkit", "it is half of the binary, and its types must not spread", "build", "build/worker"),
	door("gvisor.dev/gvisor", "one TCP/IP stack, for the networks of steps", "build/netns"),
	door("github.com/compose-spec/compose-go", "Compose files are read in one place",
		"inspect/workload"),
	door("github.com/docker/buildx", "bake files are read in one place", "build/bake"),
	door("github.com/hashicorp/hcl", "bake files are read in one place", "build/bake"),
	door("github.com/zclconf/go-cty", "bake files are read in one place", "build/bake"),
	door("github.com/docker/docker", "Docker Engine is one source among others", "registry/engine"),
	door("github.com/moby/moby", "Docker Engine is one source among others", "registry/engine"),
	door("testing", "it adds flags to the program that links it", helpers...),
	{
		name: "offline", reason: "compose and inspect work on values and sources, never on the network",
		forbids: func(from, to string) bool {
			return (room(from) == "compose" || room(from) == "inspect") && (to == "net" || to == "net/http")
		},
		broken: [2]string{"compose", "net/http"}, kept: [2]string{"registry/remote", "net/http"},
	},
	{
		name: "values", reason: "names and content are values; registry/remote dials",
		forbids: func(from, to string) bool { return from == "registry" && (to == "net" || to == "net/http") },
		broken:  [2]string{"registry", "net/http"}, kept: [2]string{"registry/remote", "net/http"},
	},
	{
		name: "values", reason: "a list is a value; only compose/publish takes it to a registry",
		forbids: func(from, to string) bool {
			return (room(from) == "compose" || room(from) == "inspect") && from != "compose/publish" &&
				(to == "registry/remote" || to == "registry/source" || to == "registry/login")
		},
		broken: [2]string{"compose", "registry/remote"}, kept: [2]string{"compose/publish", "registry/remote"},
	},
	{
		name: "silent", reason: "libraries return errors and call an optional function; only cmd prints",
		forbids: func(from, to string) bool {
			return (to == "log" || to == "log/slog") && !under(from, "cmd") && !slices.Contains(helpers, from)
		},
		broken: [2]string{"build/worker", "log"}, kept: [2]string{"cmd/internal/cli", "log/slog"},
	},
}

// door forbids a library and its packages in all packages of this module but the allowed ones.
func door(library, reason string, allowed ...string) rule {
	r := rule{name: "door of " + library, reason: reason, broken: [2]string{"registry/serve", library + "/sub"}}
	r.forbids = func(from, to string) bool { return under(to, library) && !slices.Contains(allowed, from) }
	if len(allowed) > 0 {
		r.kept = [2]string{allowed[0], library}
	} else {
		r.kept = [2]string{"registry", library + "x"}
	}
	return r
}

// neverLinked are packages that the program must not link at all, and why.
var neverLinked = map[string]string{
	"github.com/google/go-containerregistry/pkg/v1/daemon": "a second Docker Engine client",
	"github.com/asaskevich/govalidator":                    "it compiles patterns at each start; sigstore brings it",
	"github.com/santhosh-tekuri/jsonschema":                "it compiles schemas at each start; do without compose-go's loader",
	"k8s.io/client-go":                                     "mtool reads workload files; kubectl talks to clusters",
}

// mayMeet reports whether a package may import another child of the same room.
func mayMeet(from, to string) bool {
	switch from {
	case "registry/source":
		return true
	case "registry/remote":
		return to == "registry/login" || leaf(to)
	case "registry/settings":
		return to == "registry/login" || to == "registry/remote" || leaf(to)
	case "registry/serve", "registry/archive":
		return to == "registry/store" || leaf(to)
	case "inspect/deep", "inspect/facts":
		return to == "inspect/rootfs" || leaf(to)
	}
	return leaf(to)
}

// room returns the package of floors that path belongs to, or "".
func room(path string) string {
	for name := range floors {
		if under(path, name) {
			return name
		}
	}
	return ""
}

func own(path string) bool           { return room(path) != "" }
func leaf(path string) bool          { return slices.Contains(leaves, path) }
func under(path, prefix string) bool { return path == prefix || strings.HasPrefix(path, prefix+"/") }

// violations lists the imports that break the rules, sorted.
func violations(g graph, rules []rule) []string {
	var found []string
	for from, imports := range g {
		for _, to := range imports {
			for _, r := range rules {
				if r.forbids(from, to) {
					found = append(found, fmt.Sprintf("%s imports %s: %s: %s", from, to, r.name, r.reason))
				}
			}
		}
	}
	slices.Sort(found)
	return found
}

func TestHouse(t *testing.T) {
	t.Parallel()
	house, all := imports(t)
	if !slices.Contains(house["cmd/mtool"], "cmd/internal/cli") {
		t.Fatalf("this is not the graph of the program: cmd/mtool imports %q", house["cmd/mtool"])
	}
	for _, v := range violations(house, rules) {
		t.Error(v)
	}
	for _, v := range linked(all) {
		t.Error(v)
	}
}

func TestRulesCatchLiars(t *testing.T) {
	t.Parallel()
	for _, r := range rules {
		t.Run(r.name, func(t *testing.T) {
			t.Parallel()
			if got := violations(graph{r.broken[0]: {r.broken[1]}}, []rule{r}); len(got) != 1 {
				t.Errorf("%s imports %s: got %q, want one violation", r.broken[0], r.broken[1], got)
			}
			if got := violations(graph{r.kept[0]: {r.kept[1]}}, rules); len(got) != 0 {
				t.Errorf("%s imports %s: got %q, want none", r.kept[0], r.kept[1], got)
			}
		})
	}
	const brought = "github.com/google/go-containerregistry/pkg/v1/daemon"
	if got := linked(graph{"example.com/innocent": {brought}, brought: nil}); len(got) != 1 {
		t.Errorf("linking %s: got %q, want one violation", brought, got)
	}
}

// linked lists the packages of neverLinked that the program links, and the packages that import them.
func linked(all graph) []string {
	var found []string
	for from, imports := range all {
		for _, to := range imports {
			for library, reason := range neverLinked {
				if under(to, library) && !under(from, library) {
					found = append(found, fmt.Sprintf("%s brings %s: %s", from, to, reason))
				}
			}
		}
	}
	slices.Sort(found)
	return found
}

// imports asks the go command what the program links. It returns the imports of this module's packages, by short name,
// and those of all packages. Tests are left out.
func imports(t *testing.T) (house, all graph) {
	t.Helper()
	module, err := exec.CommandContext(t.Context(), "go", "list", "-m").Output()
	if err != nil {
		t.Fatalf("asking go list for the module: %v", err)
	}
	prefix := strings.TrimSpace(string(module)) + "/"
	cmd := exec.CommandContext(t.Context(), "go", "list", "-deps", "-json=ImportPath,Imports", "./...")
	cmd.Dir = "../.."
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("asking go list for the imports: %v", err)
	}
	house, all = graph{}, graph{}
	for d := json.NewDecoder(bytes.NewReader(out)); ; {
		var p struct {
			ImportPath string
			Imports    []string
		}
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			return house, all
		} else if err != nil {
			t.Fatalf("reading the imports: %v", err)
		}
		all[p.ImportPath] = p.Imports
		if name, ok := strings.CutPrefix(p.ImportPath, prefix); ok {
			for _, to := range p.Imports {
				house[name] = append(house[name], strings.TrimPrefix(to, prefix))
			}
		}
	}
}
