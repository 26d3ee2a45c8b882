package deep_test

import (
	"strings"
	"testing"

	"mtool/inspect"
	"mtool/inspect/deep"
	"mtool/registry/registrytest"
)

// FuzzConfig checks that an image with any config gets one verdict, of one line.
func FuzzConfig(f *testing.F) {
	b := registrytest.Image(image(f, "linux/arm64", "elf app arm64", "script run /bin/sh", "elf bin/sh arm64"))
	r := report(f, b)
	f.Add(r.Images[0].ConfigBody)
	diffIDs := string(r.Images[0].ConfigBody[strings.Index(string(r.Images[0].ConfigBody), `"rootfs"`):])
	f.Add([]byte(
		`{"config":{"Entrypoint":["sh","-c","exec $0"],"Env":["PATH=","=","PATH=/bin:"],"WorkingDir":"../..","Labels":{"mtool.allow-foreign":"**,[,/"}},` + diffIDs))
	f.Add([]byte(`{"config":null,"rootfs":{"diff_ids":["sha256:"]}}`))
	f.Add([]byte(`{"config":{"Entrypoint":[""],"Cmd":[null]},` + diffIDs))
	f.Fuzz(func(t *testing.T, body []byte) {
		image := r.Images[0]
		image.ConfigBody = body
		for _, o := range []deep.Options{{}, {EntrypointOnly: true}, {Strict: true}} {
			result := inspected(t, inspect.Report{Images: []inspect.Image{image}}, o)
			if v := result.Verdicts[0]; v.State == "" || v.Message == "" {
				t.Errorf("no verdict: %+v", v)
			}
			for _, finding := range append(result.Findings, result.Verdicts...) {
				if strings.ContainsAny(finding.Message, "\n\r") {
					t.Errorf("message %q is not one line", finding.Message)
				}
			}
		}
	})
}
