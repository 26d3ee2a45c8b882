package cli

import (
	"errors"
	"reflect"
	"testing"

	"mtool/build"
	"mtool/cmd/internal/app"
	"mtool/registry"
)

func TestParseSecrets(t *testing.T) {
	t.Setenv("IN_ENV", "x")
	for text, want := range map[string]*build.Secret{
		"id=a,src=f": {ID: "a", File: "f"}, "id=a,source=f": {ID: "a", File: "f"}, "id=a,env=E": {ID: "a", Env: "E"},
		"id=a,src=E,type=env": {ID: "a", Env: "E"}, "id=IN_ENV": {ID: "IN_ENV", Env: "IN_ENV"},
		"id=file":        {ID: "file", File: "file"},
		`id=a,"src=x,y"`: {ID: "a", File: "x,y"},
		"src=f":          nil, "id=a,srk=f": nil, "id": nil, "id=a,src=f,env=E": nil, "": nil,
	} {
		got, err := parseSecrets([]string{text})
		if want == nil {
			if !errors.Is(err, registry.ErrUsage) {
				t.Errorf("%q: %v, %v", text, got, err)
			}
			continue
		}
		if err != nil || !reflect.DeepEqual(got, []build.Secret{*want}) {
			t.Errorf("%q: %+v, %v", text, got, err)
		}
	}
}

func TestParseHosts(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"a:10.0.0.1": "a=10.0.0.1", "a=10.0.0.1": "a=10.0.0.1", "a:[::1]": "a=::1", "a:::1": "a=::1", "a": "", ":1.2.3.4": "",
		"a:host-gateway": "a=host-gateway", "a:gateway": "", "a:1.2.3": "",
	} {
		got, err := parseHosts([]string{text})
		if (err != nil) != (want == "") || want != "" && got[0] != want {
			t.Errorf("%q: %q, %v, want %q", text, got, err, want)
		}
	}
}

func TestCheckUlimits(t *testing.T) {
	t.Parallel()
	for text, good := range map[string]bool{
		"nofile=88": true, "nofile=88:99": true, "core=-1": true, "nosuch=1": false,
		"nofile": false, "nofile=x": false, "nofile=9:8": false,
	} {
		if err := checkUlimits([]string{text}); (err == nil) != good || err != nil && !errors.Is(err, registry.ErrUsage) {
			t.Errorf("%q: %v", text, err)
		}
	}
}

func TestParseSize(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]int64{
		"": 0, "1024": 1024, "64m": 64 << 20, "64MB": 64 << 20, "1g": 1 << 30, "512k": 512 << 10, "1b": 1, "1.5g": 3 << 29,
		"m": -1, "-1": -1, "0": -1, "1x": -1, "1mm": -1, "9999999t": -1,
	} {
		got, err := parseSize("--shm-size", text)
		if (err != nil) != (want < 0) || want >= 0 && got != want {
			t.Errorf("%q: %d, %v, want %d", text, got, err, want)
		}
	}
}

func TestParseOutputs(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]*outputs{
		"out":                           {files: []app.BuildOutput{{Type: "local", Dest: "out"}}},
		"-":                             {files: []app.BuildOutput{{Type: "tar", Dest: "-"}}},
		"type=oci,dest=a.tar":           {files: []app.BuildOutput{{Type: "oci", Dest: "a.tar"}}},
		"type=docker":                   {load: true},
		"type=docker,dest=a.tar":        {files: []app.BuildOutput{{Type: "docker", Dest: "a.tar"}}},
		"type=registry":                 {push: true},
		"type=image,push=true":          {push: true},
		"type=image":                    {},
		"type=cacheonly":                {noImage: true},
		"type=local":                    nil,
		"type=nosuch,dest=x":            nil,
		"dest=x":                        nil,
		"type=image,name=a@sha256:aaaa": nil,
		"type=tar,destination=x":        nil,
	} {
		got, err := parseOutputs([]string{text})
		if (err != nil) != (want == nil) || want != nil && !reflect.DeepEqual(got, *want) {
			t.Errorf("%q: %+v, %v", text, got, err)
		}
	}
}
