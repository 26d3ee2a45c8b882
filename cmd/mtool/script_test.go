package main

import (
	"encoding/pem"
	"errors"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/rogpeppe/go-internal/testscript"

	"mtool/inspect/platform"
	"mtool/registry"
	"mtool/registry/archive"
	"mtool/registry/registrytest"
	"mtool/registry/remote"
)

// scriptCommands returns the commands of scripts in addition to testscript's.
func scriptCommands() map[string]func(*testscript.TestScript, bool, []string) {
	return map[string]func(*testscript.TestScript, bool, []string){
		"exits":    cmdExits,
		"registry": cmdRegistry,
		"fault":    cmdFault,
		"image":    cmdImage,
		"list":     cmdList,
		"artifact": cmdArtifact,
		"rootfs":   cmdRootfs,
		"corrupt":  cmdCorrupt,
		"digest":   cmdDigest,
		"sign":     cmdSign,
		"requests": cmdRequests,
		"seen":     cmdSeen,
		"truncate": cmdTruncate,
		"replace":  cmdReplace,
		"valid":    cmdValid,
		"admit":    cmdAdmit,
		"browse":   cmdBrowse,
		"phone":    cmdPhone,
		"picture":  cmdPicture,
		"web":      cmdWeb,
		"gha":      cmdGHA,
		"can":      cmdCan,
		"cannot":   cmdCannot,
		"passes":   cmdPasses,
		"writes":   cmdWrites,
		"reads":    cmdReads,
		"proxy":    cmdProxy,
	}
}

// exits CODE COMMAND…: the command must end with exactly that code.
func cmdExits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits CODE COMMAND...")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	got := 0
	if err := ts.Exec(args[1], args[2:]...); err != nil {
		var exit *exec.ExitError
		if !errors.As(err, &exit) {
			ts.Fatalf("running %s: %v", args[1], err)
		}
		got = exit.ExitCode()
	}
	if got != want {
		ts.Fatalf("exit code %d, want %d", got, want)
	}
}

type serversKey struct{}

type servers struct {
	byName map[string]*registrytest.Server
}

func (s *servers) close() {
	for _, server := range s.byName {
		server.Close()
	}
}

func serversOf(ts *testscript.TestScript) *servers { return ts.Value(serversKey{}).(*servers) }

// registry VAR [tls] [user=NAME:PASSWORD] [token] [immutable] [conditional] [nomount] [lax] [norange] [referrers]:
// starts a registry; $VAR is its host.
func cmdRegistry(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) == 0 {
		ts.Fatalf("usage: registry VAR [OPTION...]")
	}
	var o registrytest.Options
	for _, word := range args[1:] {
		switch key, value, _ := strings.Cut(word, "="); key {
		case "tls":
			o.TLS = true
		case "user":
			o.Username, o.Password, _ = strings.Cut(value, ":")
		case "token":
			o.Token = true
		case "conditional":
			o.Conditional = true
		case "immutable":
			o.Immutable = true
		case "nomount":
			o.NoMount = true
		case "norange":
			o.NoRange = true
		case "severaltags":
			o.SeveralTags = true
		case "lax":
			o.Lax = true
		case "referrers":
			o.Referrers = true
		case "pages": // the maximum of names in a response
			o.PageSize, _ = strconv.Atoi(value)
		default:
			ts.Fatalf("unknown option %q", word)
		}
	}
	server, err := registrytest.Start(o)
	ts.Check(err)
	serversOf(ts).byName[args[0]] = server
	ts.Setenv(args[0], server.Host())
	if o.TLS {
		cert := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
		ts.Check(os.WriteFile(ts.MkAbs(args[0]+".pem"), cert, 0o644))
	}
}

// fault VAR [status=N] [method=M] [path=P] [times=N] [after=N] [retry-after=D] [drop] [truncate] [hang] [forget]
// [move=TAG] [short] [slow=D] [drip=D]
func cmdFault(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: fault VAR OPTION...")
	}
	var f registrytest.Fault
	for _, word := range args[1:] {
		key, value, _ := strings.Cut(word, "=")
		var err error
		switch key {
		case "status":
			f.Status, err = strconv.Atoi(value)
		case "method":
			f.Method = value
		case "path":
			f.Path = value
		case "times":
			f.Times, err = strconv.Atoi(value)
		case "after":
			f.After, err = strconv.Atoi(value)
		case "retry-after":
			f.RetryAfter, err = time.ParseDuration(value)
		case "drop":
			f.Drop = true
		case "truncate":
			f.Truncate = true
		case "hang":
			f.Hang = true
		case "move":
			f.Move = value
		case "forget":
			f.Forget = true
		case "short":
			f.Response = &registrytest.Response{Short: true}
		case "slow": // the pause before each eighth of the body
			f.Response = &registrytest.Response{}
			f.Response.Slow, err = time.ParseDuration(value)
		case "drip": // the pause before each byte of the body
			f.Response = &registrytest.Response{}
			f.Response.Drip, err = time.ParseDuration(value)
		default:
			ts.Fatalf("unknown option %q", word)
		}
		ts.Check(err)
	}
	server, ok := serversOf(ts).byName[args[0]]
	if !ok {
		ts.Fatalf("no registry %q", args[0])
	}
	server.Fault(f)
}

// image REF [~]PLATFORM [binary=ARCH] [variant=V] [label=K=V] [docker] [seed=S] [padding=N] [layers=N] [shared=S]:
// makes an image of PLATFORM at REF.
func cmdImage(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: image REF PLATFORM [OPTION...]")
	}
	put(ts, args[0], registrytest.Image(imageSpec(ts, args[1], args[2:])))
}

func imageSpec(ts *testscript.TestScript, name string, options []string) registrytest.ImageSpec {
	s := registrytest.ImageSpec{}
	if name != "none" {
		s.Platform = spelled(ts, name)
		s.Binary = platform.Normalize(s.Platform).Architecture
	}
	for _, word := range options {
		var err error
		switch key, value, _ := strings.Cut(word, "="); key {
		case "binary":
			s.Binary = value
		case "variant": // unchanged; PLATFORM is normalised
			s.Platform.Variant = value
		case "label":
			k, v, _ := strings.Cut(value, "=")
			s.Labels = withKey(s.Labels, k, v)
		case "onbuild":
			s.OnBuild = append(s.OnBuild, value)
		case "docker":
			s.Docker = true
		case "seed":
			s.Seed = value
		case "shared":
			s.SharedLayer = value
		case "padding":
			s.Padding, err = strconv.Atoi(value)
		case "layers":
			s.Layers, err = strconv.Atoi(value)
		default:
			ts.Fatalf("unknown option %q", word)
		}
		ts.Check(err)
	}
	return s
}

// spelled parses a platform. After a ~ it is not normalised.
func spelled(ts *testscript.TestScript, name string) v1.Platform {
	words, odd := strings.CutPrefix(name, "~")
	if !odd {
		return mustPlatform(ts, name)
	}
	parts := strings.Split(words+"/", "/")
	return v1.Platform{OS: parts[0], Architecture: parts[1], Variant: parts[2]}
}

func withKey(m map[string]string, k, v string) map[string]string {
	if m == nil {
		m = map[string]string{}
	}
	m[k] = v
	return m
}

// list REF [attested] [docker] [nested] ENTRY…: makes a list at REF. ENTRY is PLATFORM, or PLATFORM=CONFIG: the row
// says PLATFORM and the image's config says CONFIG. "none=CONFIG" is a row without a platform. After a ~, platforms are
// not normalised. PLATFORM! is a row whose child is missing. A suffix makes a row that belongs to another ENTRY with
// that PLATFORM: +soci its SOCI index, +zstd its copy in another compression, +other another build in that compression,
// +artifact one with an artifactType, +typed one with an unknown media type, +file an artifact whose config has CONFIG,
// +plain one whose config has nothing.
func cmdList(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 1 {
		ts.Fatalf("usage: list REF [OPTION...] ENTRY...")
	}
	var s registrytest.ListSpec
	nested := false
	var kinds []string
	for i, word := range args[1:] {
		switch word {
		case "attested":
			s.Attested = true
		case "docker":
			s.Docker = true
		case "nested":
			nested = true
		default:
			name, kind, _ := strings.Cut(word, "+")
			kind, config, lies := strings.Cut(kind, "=")
			if lies {
				name += "=" + config
			}
			s.Entries = append(s.Entries, listEntry(ts, name, s.Docker, args[0]+strconv.Itoa(i)))
			kinds = append(kinds, kind)
		}
	}
	applySuffixes(s.Entries, kinds)
	if nested {
		s = registrytest.ListSpec{Entries: []registrytest.Entry{{Built: registrytest.List(s)}}}
	}
	put(ts, args[0], registrytest.List(s))
}

func listEntry(ts *testscript.TestScript, word string, docker bool, seed string) registrytest.Entry {
	word, missing := strings.CutSuffix(word, "!")
	claim, config, lies := strings.Cut(word, "=")
	if !lies {
		config = claim
	}
	p := spelled(ts, config)
	spec := registrytest.ImageSpec{Platform: p, Docker: docker, Seed: seed, Binary: platform.Normalize(p).Architecture}
	e := registrytest.Entry{Built: registrytest.Image(spec), Missing: missing}
	switch {
	case claim == "none":
		e.NoPlatform = true
	case lies:
		p := spelled(ts, claim)
		e.Claim = &p
	}
	return e
}

// applySuffixes changes the entries as their suffixes say. An entry with a suffix belongs to the first entry of its
// platform without one.
func applySuffixes(entries []registrytest.Entry, kinds []string) {
	zstd := map[string]string{"io.github.containers.compression.zstd": "true"}
	for i := range entries {
		e, image := &entries[i], entries[i].Built
		for j, o := range entries {
			if kinds[j] == "" && o.Platform.Equals(e.Platform) {
				image = o.Built
				break
			}
		}
		switch kinds[i] {
		case "soci":
			*e = registrytest.SOCI(image)
		case "zstd":
			*e = registrytest.Entry{Built: image.Copy(), Annotations: zstd}
		case "other":
			e.Annotations = zstd
		case "file":
			*e = artifactRow(*e, e.Platform)
		case "plain":
			*e = artifactRow(*e, v1.Platform{})
		case "artifact":
			e.ArtifactType = "application/vnd.example"
		case "typed":
			e.MediaType = "application/vnd.example+json"
		}
	}
}

func mustPlatform(ts *testscript.TestScript, name string) v1.Platform {
	p, err := platform.Parse(name)
	ts.Check(err)
	return p
}

// put pushes what was built to a name: in a registry, oci:DIR or oci-archive:FILE.
func put(ts *testscript.TestScript, name string, built registrytest.Built) {
	if transport, path, ok := strings.Cut(name, ":"); ok && (transport == "oci" || transport == "oci-archive") {
		name = transport + ":" + ts.MkAbs(path)
	}
	ref, err := registry.ParseRef(name)
	ts.Check(err)
	if !ref.IsFile() {
		client := remote.NewClient(remote.Options{})
		ts.Check(built.Push(background(), client.Repository(ref, remote.PullPush), ref.Tag))
		return
	}
	w, err := archive.Create(ref)
	ts.Check(err)
	ts.Check(built.Push(background(), w, ref.Tag))
	ts.Check(w.Close())
}

// digest VAR REF: sets $VAR to the digest of REF in its registry.
func cmdDigest(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: digest VAR REF")
	}
	ref, err := registry.ParseRef(args[1])
	ts.Check(err)
	client := remote.NewClient(remote.Options{})
	m, err := client.Repository(ref, remote.Pull).Resolve(background(), ref)
	ts.Check(err)
	ts.Setenv(args[0], m.Digest.String())
}

// requests VAR N WORD…: the registry must have received N requests whose lines have every WORD. "requests VAR forget"
// resets the count.
func cmdRequests(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) < 2 {
		ts.Fatalf("usage: requests VAR N WORD...")
	}
	server := serversOf(ts).byName[args[0]]
	if args[1] == "forget" {
		server.Forget()
		return
	}
	want, err := strconv.Atoi(args[1])
	ts.Check(err)
	if got := server.Count(args[2:]...); (got == want) == neg {
		ts.Fatalf("%d requests, want %d (not: %v): %q", got, want, neg, server.Requests())
	}
}

// seen VAR WORD… [N]: waits until the registry has received N requests (default 1) whose lines have every WORD.
func cmdSeen(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: seen VAR WORD... [N]")
	}
	words, want := args[1:], 1
	if n, err := strconv.Atoi(words[len(words)-1]); err == nil {
		words, want = words[:len(words)-1], n
	}
	server := serversOf(ts).byName[args[0]]
	if !eventually(func() bool { return server.Count(words...) >= want }) {
		ts.Fatalf("not seen: %q of %q", words, server.Requests())
	}
}

// eventually calls done until it returns true. It returns false after ten minutes.
func eventually(done func() bool) bool {
	for end := time.Now().Add(10 * time.Minute); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		if done() {
			return true
		}
	}
	return false
}

// truncate FILE BYTES: truncates the file to this length.
func cmdTruncate(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: truncate FILE BYTES")
	}
	n, err := strconv.ParseInt(args[1], 10, 64)
	ts.Check(err)
	ts.Check(os.Truncate(ts.MkAbs(args[0]), n))
}

// replace FILE OLD NEW: replaces every OLD in the file, which must contain OLD.
func cmdReplace(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 3 {
		ts.Fatalf("usage: replace FILE OLD NEW")
	}
	path := ts.MkAbs(args[0])
	body, err := os.ReadFile(path)
	ts.Check(err)
	if !strings.Contains(string(body), args[1]) {
		ts.Fatalf("%s does not contain %q", args[0], args[1])
	}
	ts.Check(os.WriteFile(path, []byte(strings.ReplaceAll(string(body), args[1], args[2])), 0o644))
}
