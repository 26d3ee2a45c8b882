package inspect_test

import (
	"fmt"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"mtool/inspect"
	"mtool/registry"
	"mtool/registry/registrytest"
)

// A pair is a wrong image with its verdict, and a similar one that the same check must accept.
type pair struct {
	name       string
	liar, twin registry.Object
	options    inspect.CheckOptions
	state      inspect.State
	message    string
}

func obj(b registrytest.Built) registry.Object { return b.Object(registryRef()) }

func object(entries ...registrytest.Entry) registry.Object { return obj(list(entries...)) }

func claimed(b registrytest.Built, platform string) registrytest.Entry {
	return registrytest.Entry{Built: b, Claim: claim(platform)}
}

func windows(version string, features ...string) v1.Platform {
	return v1.Platform{OS: "windows", Architecture: "amd64", OSVersion: version, OSFeatures: features}
}

func entryPairs() []pair {
	amd64, arm64 := image("linux/amd64"), image("linux/arm64")
	bare := registrytest.Image(registrytest.ImageSpec{Platform: v1.Platform{OS: "linux", Architecture: "arm"}})
	v8 := registrytest.Image(
		registrytest.ImageSpec{Platform: v1.Platform{OS: "linux", Architecture: "arm64", Variant: "v8"}})
	silent := registrytest.Image(registrytest.ImageSpec{Seed: "silent"})
	win := registrytest.Image(registrytest.ImageSpec{Platform: windows("10.0.20348.1")})
	win32k := registrytest.Image(registrytest.ImageSpec{Platform: windows("10.0.20348.1", "win32k")})
	hub := registrytest.Image(registrytest.ImageSpec{
		Platform: v1.Platform{OS: "linux", Architecture: "arm32v7"},
		Binary:   "arm",
	})
	version, feature := windows("10.0.17763.1"), windows("10.0.20348.1", "other")
	twin := object(entry(amd64), entry(arm64))
	return []pair{
		{
			name: "another architecture", liar: object(entry(amd64), claimed(seeded("linux/amd64", "x"), "linux/arm64")),
			twin:  twin,
			state: inspect.Mismatch, message: "the list says linux/arm64, the config says linux/amd64",
		},
		{
			name: "another variant", liar: object(claimed(image("linux/arm/v7"), "linux/arm/v6")),
			twin:  object(claimed(bare, "linux/arm/v6")),
			state: inspect.Mismatch, message: "the list says linux/arm/v6, the config says linux/arm/v7",
		},
		{
			name: "v9 is not arm64", liar: object(claimed(image("linux/arm64/v9"), "linux/arm64")),
			twin:  object(claimed(v8, "linux/arm64")),
			state: inspect.Mismatch, message: "the list says linux/arm64, the config says linux/arm64/v9",
		},
		{
			name: "v3 missing in the row", liar: object(claimed(image("linux/amd64/v3"), "linux/amd64")),
			twin:  object(claimed(amd64, "linux/amd64/v3")),
			state: inspect.Mismatch, message: "the list says linux/amd64, the config says linux/amd64/v3",
		},
		{
			name: "a variant that does not exist",
			liar: object(registrytest.Entry{
				Built: amd64,
				Claim: &v1.Platform{OS: "linux", Architecture: "amd64", Variant: "v8"},
			}),
			twin: object(claimed(amd64, "linux/amd64/v2")), state: inspect.Mismatch,
			message: `unknown amd64 variant "v8"; valid: v1, v2, v3, v4`,
		},
		{
			name: "an alias in the row",
			liar: object(registrytest.Entry{Built: amd64, Claim: &v1.Platform{OS: "linux", Architecture: "x86_64"}}), twin: twin,
			state:   inspect.Mismatch,
			message: "the list says linux/x86_64, the config says linux/amd64; runtimes look for linux/amd64",
		},
		{
			name: "an alias in row and config", liar: object(entry(hub)), twin: object(entry(image("linux/arm/v7"))),
			state:   inspect.Mismatch,
			message: "the list says linux/arm32v7, the config says linux/arm32v7; runtimes look for linux/arm/v7",
		},
		{
			name: "an alias in the config", liar: object(claimed(hub, "linux/arm/v7")),
			twin:    object(claimed(image("linux/arm/v7"), "linux/arm/v7")),
			state:   inspect.Mismatch,
			message: "the list says linux/arm/v7, the config says linux/arm32v7; runtimes look for linux/arm/v7",
		},
		{
			name: "an alias in a single image", liar: obj(hub), twin: obj(arm64),
			state: inspect.Mismatch, message: "a single image, the config says linux/arm32v7; runtimes look for linux/arm/v7",
		},
		{
			name: "an alias in the row of the nested list",
			liar: object(entry(amd64),
				registrytest.Entry{Built: registrytest.ListOf(arm64), Claim: &v1.Platform{OS: "linux", Architecture: "aarch64"}}),
			twin:  object(entry(amd64), claimed(registrytest.ListOf(arm64), "linux/arm64")),
			state: inspect.Mismatch, message: "says linux/aarch64, the config says linux/arm64; runtimes look for linux/arm64",
		},
		{
			name: "another os.version", liar: object(registrytest.Entry{Built: win, Claim: &version}), twin: object(entry(win)),
			state:   inspect.Mismatch,
			message: "the list says windows/amd64:10.0.17763.1, the config says windows/amd64:10.0.20348.1",
		},
		{
			name: "another os.feature", liar: object(registrytest.Entry{Built: win32k, Claim: &feature}),
			twin:    object(entry(win32k)),
			state:   inspect.Mismatch,
			message: "the list says windows/amd64:10.0.20348.1 [other], the config says windows/amd64:10.0.20348.1 [win32k]",
		},
		{
			name: "no platform in the list", liar: object(entry(amd64), registrytest.Entry{Built: arm64, NoPlatform: true}),
			twin:  twin,
			state: inspect.Mismatch, message: "the list names no platform for it, the config says linux/arm64",
		},
		{
			name: "no platform in the config", liar: object(claimed(silent, "linux/arm64")), twin: object(entry(arm64)),
			state: inspect.Mismatch, message: "the list says linux/arm64, the config names no platform",
		},
		{
			name: "child missing", liar: object(entry(amd64), registrytest.Entry{Built: arm64, Missing: true}), twin: twin,
			state:   inspect.Mismatch,
			message: "linux/arm64 (" + arm64.Digest().String()[:19] + "): child manifest is missing (404)",
		},
		{
			name: "config missing", liar: failing(list(entry(amd64), entry(arm64)), arm64.Order[1].Digest, registry.ErrNotFound),
			twin:  twin,
			state: inspect.Mismatch, message: "config " + arm64.Order[1].Digest.String()[:19] + " is missing (404)",
		},
		{
			name: "size", liar: object(registrytest.Entry{Built: arm64, WrongSize: true}), twin: object(entry(arm64)),
			state: inspect.Mismatch, message: "reading manifest of linux/arm64",
		},
		{
			name:  "type",
			liar:  object(registrytest.Entry{Built: arm64, MediaType: "application/vnd.docker.distribution.manifest.v2+json"}),
			twin:  object(entry(arm64)),
			state: inspect.Mismatch, message: "the manifest itself \"application/vnd.oci.image.manifest.v1+json\"",
		},
		{
			name:  "digest",
			liar:  failing(list(entry(arm64)), arm64.Digest(), fmt.Errorf("got sha256:00: %w", registry.ErrContent)),
			twin:  object(entry(arm64)),
			state: inspect.Mismatch, message: "got sha256:00",
		},
		{
			name: "network", liar: failing(list(entry(arm64)), arm64.Digest(), fmt.Errorf("503: %w", registry.ErrUnavailable)),
			twin:  object(entry(arm64)),
			state: inspect.Unchecked, message: "not checked: reading manifest of linux/arm64",
		},
		{
			name: "truncated",
			liar: failing(list(entry(arm64)), arm64.Digest(),
				fmt.Errorf("%w: %w", registry.ErrUnavailable, registry.ErrContent)),
			twin: object(entry(arm64)), state: inspect.Unchecked, message: "not checked",
		},
		{
			name: "single without a platform", liar: obj(silent), twin: obj(arm64),
			state: inspect.Mismatch, message: "a single image whose config names no platform",
		},
		{
			name: "single without a config", liar: failing(arm64, arm64.Order[1].Digest, registry.ErrNotFound), twin: obj(arm64),
			state: inspect.Mismatch, message: "reading config of",
		},
		{
			name:  "row of the nested list",
			liar:  object(entry(amd64), claimed(registrytest.ListOf(seeded("linux/amd64", "n")), "linux/arm64")),
			twin:  object(entry(amd64), claimed(registrytest.ListOf(arm64), "linux/arm64")),
			state: inspect.Mismatch, message: "says linux/arm64, the config says linux/amd64",
		},
	}
}

func listPairs() []pair {
	amd64, arm64 := image("linux/amd64"), image("linux/arm64")
	win1 := registrytest.Image(registrytest.ImageSpec{Platform: windows("10.0.17763.1")})
	win2 := registrytest.Image(registrytest.ImageSpec{Platform: windows("10.0.20348.1")})
	twin := object(entry(amd64), entry(arm64))
	// Two manifests with one config.
	annotated := registrytest.Image(registrytest.ImageSpec{
		Platform:    plat("linux/amd64"),
		Annotations: map[string]string{"a": "b"},
	})
	zstd := registrytest.Entry{
		Built:       annotated,
		Annotations: map[string]string{"io.github.containers.compression.zstd": "true"},
	}
	data := func(p string) registrytest.Entry {
		return entry(registrytest.Image(registrytest.ImageSpec{Platform: plat(p), SharedLayer: "data", Binary: "amd64"}))
	}
	attested := registrytest.List(registrytest.ListSpec{Entries: []registrytest.Entry{entry(amd64)}, Attested: true})
	attestation := registrytest.Attestation(amd64.Manifest)
	docker := registrytest.Image(registrytest.ImageSpec{Platform: plat("linux/amd64"), Docker: true})
	strange := registrytest.Image(registrytest.ImageSpec{Platform: v1.Platform{OS: "linux", Architecture: "e2k"}})
	return []pair{
		{
			name: "two of one platform", liar: object(entry(amd64), entry(seeded("linux/amd64", "2"))),
			twin:  object(entry(amd64), zstd),
			state: inspect.Mismatch, message: "duplicate platform linux/amd64: 2 entries: ",
		},
		{
			name: "two of one platform, spelled differently", liar: object(entry(arm64), registrytest.Entry{
				Built: seeded("linux/arm64", "2"), Claim: &v1.Platform{OS: "linux", Architecture: "arm64", Variant: "v8"},
			}), twin: object(entry(arm64), entry(image("linux/arm64/v9"))), state: inspect.Mismatch,
			message: "duplicate platform linux/arm64",
		},
		{
			name: "two os.versions",
			liar: object(entry(win1),
				entry(registrytest.Image(registrytest.ImageSpec{Platform: windows("10.0.17763.1"), Seed: "2"}))),
			twin: object(entry(win1), entry(win2)), state: inspect.Mismatch,
			message: "duplicate platform windows/amd64:10.0.17763.1",
		},
		{
			name: "two of one compression",
			liar: object(entry(amd64), zstd,
				registrytest.Entry{Built: seeded("linux/amd64", "z2"), Annotations: zstd.Annotations}),
			twin: object(entry(amd64), zstd), state: inspect.Mismatch, message: "duplicate platform linux/amd64",
		},
		{
			name: "copies of two builds",
			liar: object(entry(amd64), registrytest.Entry{Built: seeded("linux/amd64", "z"), Annotations: zstd.Annotations}),
			twin: object(entry(amd64), zstd), state: inspect.Mismatch,
			message: "the copies of linux/amd64 in different compressions are different builds, with different layers",
		},
		{
			name: "one digest twice", liar: object(entry(amd64), entry(amd64)), twin: twin, state: inspect.Mismatch,
			message: "is listed 2 times",
		},
		{
			name: "one manifest for two", liar: object(entry(amd64), claimed(amd64, "linux/arm64")), twin: twin,
			state: inspect.Mismatch, message: "linux/amd64, linux/arm64 share one manifest, sha256:",
		},
		{
			name: "one config for two", liar: object(entry(amd64), claimed(annotated, "linux/arm64")), twin: twin,
			state: inspect.Mismatch, message: "linux/amd64, linux/arm64 share one config, sha256:",
		},
		{
			name: "shared layers", liar: object(data("linux/amd64"), data("linux/arm64")), twin: twin,
			state: inspect.Note, message: "linux/amd64, linux/arm64 share all their layers: ",
		},
		{name: "empty", liar: object(), twin: object(entry(amd64)), state: inspect.Mismatch, message: "the list is empty"},
		{
			name: "attestations only", liar: object(attestation), twin: obj(attested),
			state: inspect.Mismatch, message: "the list holds no image, only 1 attestation",
		},
		{
			name: "orphan attestation", liar: object(entry(arm64), attestation), twin: obj(attested),
			state: inspect.Note, message: "is about " + amd64.Digest().String()[:19] + ", which is not in the list",
		},
		{
			name: "attestation missing", liar: failing(attested, attestation.Digest(), registry.ErrNotFound),
			twin:    obj(attested),
			state:   inspect.Mismatch,
			message: "linux/amd64: its attestation " + attestation.Digest().String()[:19] + " is missing (404)",
		},
		{
			name: "attestation unread", liar: failing(attested, attestation.Digest(), registry.ErrUnavailable),
			twin:  obj(attested),
			state: inspect.Unchecked, message: "not checked: reading manifest",
		},
		{
			name: "nested", liar: object(entry(amd64), entry(registrytest.ListOf(arm64))), twin: twin,
			state: inspect.Note, message: "the list holds another list",
		},
		{
			name: "nested and empty", liar: object(entry(amd64), entry(list())), twin: twin, state: inspect.Mismatch,
			message: "the nested list is empty",
		},
		{
			name:  "Docker list of OCI images",
			liar:  obj(registrytest.List(registrytest.ListSpec{Docker: true, Entries: []registrytest.Entry{entry(amd64)}})),
			twin:  obj(registrytest.List(registrytest.ListSpec{Docker: true, Entries: []registrytest.Entry{entry(docker)}})),
			state: inspect.Note, message: "of Docker's type but holds 1 OCI image",
		},
		{
			name: "an unknown platform", liar: object(entry(strange)), twin: object(entry(amd64)),
			state: inspect.Note, message: `unknown linux architecture "e2k"`,
		},
	}
}

func requirePairs() []pair {
	amd64, arm64 := image("linux/amd64"), image("linux/arm64")
	attested := registrytest.List(registrytest.ListSpec{Entries: []registrytest.Entry{entry(amd64)}, Attested: true})
	twin := object(entry(amd64), entry(arm64))
	both := inspect.CheckOptions{Require: []v1.Platform{plat("linux/amd64"), plat("linux/arm64")}}
	exact := both
	exact.Exact = true
	one := func(p string) inspect.CheckOptions { return inspect.CheckOptions{Require: []v1.Platform{plat(p)}} }
	server := registrytest.Image(registrytest.ImageSpec{Platform: windows("10.0.20348.1")})
	annotated := registrytest.Image(registrytest.ImageSpec{
		Platform:    plat("linux/amd64"),
		Annotations: map[string]string{"a": "z"},
	})
	zstd := registrytest.Entry{
		Built:       annotated,
		Annotations: map[string]string{"io.github.containers.compression.zstd": "true"},
	}
	nested := registrytest.ListOf(arm64)
	return []pair{
		{
			name: "missing", liar: obj(attested), twin: twin, options: both,
			state: inspect.Mismatch, message: "missing linux/arm64; has linux/amd64 (+1 attestation)",
		},
		{
			name: "a wrong row does not count as the config's platform", liar: object(claimed(arm64, "linux/s390x")), twin: twin,
			options: one("linux/arm64"),
			state:   inspect.Mismatch, message: "missing linux/arm64; has linux/s390x",
		},
		{
			name: "no runtime finds an entry without a platform",
			liar: object(registrytest.Entry{Built: arm64, NoPlatform: true}), twin: twin,
			options: one("linux/arm64"), state: inspect.Mismatch, message: "missing linux/arm64; has no platform",
		},
		{
			name: "single image of another platform", liar: obj(amd64), twin: obj(arm64), options: one("linux/arm64"),
			state: inspect.Mismatch, message: "missing linux/arm64; a single image of linux/amd64, not a list",
		},
		{
			name: "v7 is not v6", liar: object(entry(image("linux/arm/v7"))), twin: object(entry(image("linux/arm/v6"))),
			options: one("linux/arm/v6"),
			state:   inspect.Mismatch, message: "missing linux/arm/v6; has linux/arm/v7",
		},
		{
			name: "a v7 node takes v6", liar: object(entry(image("linux/arm/v6"))), twin: object(entry(image("linux/arm/v7"))),
			options: one("linux/arm"),
			state:   inspect.Note, message: "linux/arm/v7 has no entry of its own: its nodes take linux/arm/v6 (sha256:",
		},
		{
			name: "exactly v7", liar: object(entry(image("linux/arm/v6"))), twin: object(entry(image("linux/arm/v7"))),
			options: inspect.CheckOptions{Require: []v1.Platform{plat("linux/arm/v7")}, Exact: true},
			state:   inspect.Mismatch, message: "missing linux/arm/v7; has linux/arm/v6",
		},
		{
			name: "podman does not fall back to an older amd64", liar: object(entry(image("linux/amd64/v2"))),
			twin: object(entry(image("linux/amd64/v3"))), options: one("linux/amd64/v3"),
			state: inspect.Note, message: "its nodes take linux/amd64/v2 (",
		},
		{
			name: "386 is not amd64", liar: object(entry(image("linux/386"))), twin: object(entry(amd64)),
			options: one("linux/amd64"),
			state:   inspect.Mismatch, message: "missing linux/amd64; has linux/386",
		},
		{
			name: "no runtime finds an alias",
			liar: object(registrytest.Entry{Built: amd64, Claim: &v1.Platform{OS: "linux", Architecture: "x86_64"}}), twin: twin,
			options: one("linux/amd64"), state: inspect.Mismatch,
			message: "missing linux/amd64; has linux/x86_64; runtimes look for linux/amd64",
		},
		{
			name: "os.version", liar: object(entry(server)),
			twin:    object(entry(server), entry(registrytest.Image(registrytest.ImageSpec{Platform: windows("10.0.17763.5")}))),
			options: one("windows/amd64:10.0.17763"), state: inspect.Mismatch,
			message: "missing windows/amd64:10.0.17763; has windows/amd64:10.0.20348.1",
		},
		{
			name: "exact", liar: object(entry(amd64), entry(arm64), entry(image("linux/s390x"))),
			twin: object(entry(amd64), zstd, entry(arm64)), options: exact,
			state: inspect.Mismatch, message: "linux/s390x is there but not required; wanted exactly linux/amd64, linux/arm64",
		},
		{
			name: "an empty list", liar: object(), twin: twin, options: one("linux/amd64"), state: inspect.Mismatch,
			message: "missing linux/amd64; has no platform",
		},
		{
			name: "a nested list that can't be read",
			liar: failing(list(entry(amd64), entry(nested)), nested.Digest(), registry.ErrUnavailable),
			twin: object(entry(amd64), entry(nested)), options: one("linux/arm64"), state: inspect.Unchecked,
			message: "not checked: whether linux/arm64 is there",
		},
		{
			name: "a single image that can't be read", liar: failing(arm64, arm64.Order[1].Digest, registry.ErrDenied),
			twin: obj(arm64), options: one("linux/arm64"),
			state: inspect.Unchecked, message: "not checked: whether linux/arm64 is there",
		},
	}
}
