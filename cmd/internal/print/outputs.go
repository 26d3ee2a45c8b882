package print

import (
	"encoding/json"
	"strings"
	"unicode"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"mtool/cmd/internal/app"
	"mtool/compose"
	"mtool/compose/publish"
	"mtool/inspect"
	"mtool/inspect/platform"
)

// Outputs are the outputs of a step of GitHub Actions, KEY=VALUE lines, of what was made: digest, ref (REPO@DIGEST),
// tags (a comma list of names), changed, platforms, and the digest of each as digest-linux-arm64. A single image has no
// platforms. A list made without optional platforms has them as missing.
func Outputs(d publish.Done) string {
	changed := false
	var tags []string
	for _, o := range d.Targets {
		changed = changed || o.State == publish.Written
		if o.Err == nil && o.Target.Tag != "" {
			tags = append(tags, o.Target.Name())
		}
	}
	made := d.Made[0]
	var lines strings.Builder
	printf(&lines, "digest=%s\nref=%s@%s\ntags=%s\nchanged=%t\n", made.Digest, made.Name, made.Digest,
		commas(tags), changed)
	var list struct{ Manifests []v1.Descriptor }
	_ = json.Unmarshal(d.Root.Body, &list) // what we made decodes; a draft alone has no body
	var platforms []platformDigest
	for _, m := range list.Manifests {
		if _, attests := inspect.AttestationOf(m); !attests && m.Platform != nil {
			platforms = append(platforms, platformDigest{*m.Platform, m.Digest})
		}
	}
	return lines.String() + platformLines(platforms) + missingLine(compose.MissingFrom(d.Root))
}

// BuiltOutputs are those of a build; ref is where it was pushed, else in the store.
func BuiltOutputs(b app.Built) string {
	place := ""
	for _, m := range b.Made {
		if m.Digest == b.Digest() {
			place = m.Name // that of the registry comes last
		}
	}
	var lines strings.Builder
	printf(&lines, "digest=%s\nref=%s@%s\n", b.Digest(), place, b.Digest())
	var platforms []platformDigest
	for _, image := range b.Images {
		platforms = append(platforms, platformDigest{image.Platform, image.Manifest.Digest})
	}
	return lines.String() + platformLines(platforms) + missingLine(b.MissingPlatforms())
}

// missingLine names the optional platforms that were left out, if there are any.
func missingLine(platforms []v1.Platform) string {
	if len(platforms) == 0 {
		return ""
	}
	return "missing=" + Line(commas(platform.FormatAll(platforms))) + "\n"
}

type platformDigest struct {
	platform v1.Platform
	digest   v1.Hash
}

func platformLines(all []platformDigest) string {
	var names []string
	var digests strings.Builder
	for _, p := range all {
		name := platform.Format(p.platform)
		names = append(names, name)
		printf(&digests, "digest-%s=%s\n", outputName(name), p.digest)
	}
	return "platforms=" + Line(commas(names)) + "\n" + digests.String()
}

// outputName is a platform as a part of a name: what could end the name is a dash.
func outputName(platform string) string {
	return strings.Map(func(r rune) rune {
		if r > unicode.MaxASCII || !unicode.IsLetter(r) && !unicode.IsDigit(r) && r != '.' && r != '_' {
			return '-'
		}
		return r
	}, platform)
}
