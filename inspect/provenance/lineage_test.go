package provenance_test

import (
	"slices"
	"strings"
	"testing"

	"mtool/inspect"
	"mtool/inspect/provenance"
)

// Operations as BuildKit writes them, without the members that mtool does not read.
const (
	local   = `{"id":"step0","op":{"Op":{"source":{"identifier":"local://context"}},"constraints":{}}}`
	arm64   = `{"id":"step1","op":{"Op":{"source":{"identifier":"docker-image://docker.io/library/debian:12"}},"platform":{"Architecture":"arm64","OS":"linux"}}}`
	amd64   = `{"id":"step1","op":{"Op":{"source":{"identifier":"docker-image://docker.io/library/debian:12"}},"platform":{"Architecture":"amd64","OS":"linux"}}}`
	layout  = `{"id":"step1","op":{"Op":{"source":{"identifier":"oci-layout://store/base@sha256:00"}},"platform":{"Architecture":"amd64","OS":"linux"}}}`
	run     = `{"id":"step2","op":{"Op":{"exec":{"mounts":[{"dest":"/"}]}},"platform":{"Architecture":"arm64","OS":"linux"}},"inputs":["step1:0"]}`
	ran     = `{"id":"step2","op":{"Op":{"exec":{"mounts":[{"input":-1,"dest":"/"},{"dest":"/from"}]}},"platform":{"Architecture":"amd64","OS":"linux"}},"inputs":["step1:0"]}`
	copied  = `{"id":"step3","op":{"Op":{"file":{"actions":[{"secondaryInput":1}]}}},"inputs":["step2:0","step0:0"]}`
	onto    = `{"id":"step3","op":{"Op":{"file":{"actions":[{"input":-1}]}}},"inputs":["step1:0"]}`
	merged  = `{"id":"step3","op":{"Op":{"merge":{"inputs":[{"input":0},{"input":1}]}}},"inputs":["step1:0","step0:0"]}`
	last    = `{"id":"step4","op":{"Op":{}},"inputs":["step3:0"]}`
	endless = `{"id":"step3","op":{"Op":{}},"inputs":["step4:0"]}`
)

func operations(all ...string) string {
	return `{"llbDefinition":[` + strings.Join(all, ",") + `],"digestMapping":{}}`
}

// TestLineage compares the claim with what the last stage starts from, not with what is copied from other stages.
func TestLineage(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ config, wrong string }{
		"its own platform": {operations(local, arm64, run, copied, last), ""},
		"a base of another platform": {
			operations(local, amd64, run, copied, last),
			"its provenance names a last stage for linux/amd64, from docker.io/library/debian:12",
		},
		"a base of another platform from a layout": {
			operations(local, layout, merged, last),
			"a last stage for linux/amd64, from store/base@sha256:00",
		},
		"copied from another platform into scratch": {operations(amd64, onto, last), ""},
		"run on scratch for another platform": {
			operations(local, arm64, ran, copied, last),
			"a last stage for linux/amd64, from nothing",
		},
		"a cycle":              {operations(endless, last), ""},
		"a missing input":      {operations(copied, last), ""},
		"nothing":              {operations(), ""},
		"an unknown operation": {operations(`{"id":"a","op":{"Op":{"new":{}}},"inputs":["b"]}`), ""},
	} {
		for _, kind := range []string{slsa02, slsa1} {
			t.Run(name+" "+kind, func(t *testing.T) {
				t.Parallel()
				img := attested(t, "linux/arm64", kind, says{config: c.config})
				findings := provenance.Judge(img, provenance.Read(t.Context(), img, provenance.Provenance))
				if c.wrong == "" && len(findings) > 0 {
					t.Errorf("got %+v", findings)
				}
				said := func(f inspect.Finding) bool {
					return f.State == inspect.Mismatch && strings.Contains(f.Message, c.wrong)
				}
				if c.wrong != "" && !slices.ContainsFunc(findings, said) {
					t.Errorf("got %+v, want %s", findings, c.wrong)
				}
			})
		}
	}
}

// A newer ARM runs the programs of an older one.
func TestLineageOfARM(t *testing.T) {
	t.Parallel()
	base := strings.Replace(arm64, `"Architecture":"arm64"`, `"Architecture":"arm","Variant":"v6"`, 1)
	for claim, want := range map[string]int{"linux/arm/v7": 0, "linux/arm/v6": 0, "linux/arm/v5": 1} {
		img := attested(t, claim, slsa1, says{config: operations(base, merged, last)})
		if f := provenance.Judge(img, provenance.Read(t.Context(), img, provenance.Provenance)); len(f) != want {
			t.Errorf("%s: %+v", claim, f)
		}
	}
}

// mode=min lists only the base images of all stages: if all of them have another platform, that is a note.
func TestMaterials(t *testing.T) {
	t.Parallel()
	for _, kind := range []string{slsa02, slsa1} {
		img := attested(t, "linux/s390x", kind, says{from: "linux/arm64"})
		f := provenance.Judge(img, provenance.Read(t.Context(), img, provenance.Provenance))
		if len(f) != 1 || f[0].State != inspect.Note || !strings.Contains(f[0].Message, "all of linux/arm64") {
			t.Errorf("%s: %+v", kind, f)
		}
	}
}
