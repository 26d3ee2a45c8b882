package cli

import (
	"archive/tar"
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"mtool/registry/registrytest"
)

// stranger makes files and images as an attacker could write them: each field holds a hostile value that contains the
// field's name.
type stranger struct {
	dir    string
	fields []string
}

// value returns the hostile value of a field and records the field.
func (s *stranger) value(field string) string {
	s.fields = append(s.fields, field)
	return registrytest.Hostile(field)
}

func (s *stranger) file(t *testing.T, name string, body []byte) string {
	t.Helper()
	path := filepath.Join(s.dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, body, 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

type object = map[string]any

// layout writes an OCI layout.
type layout struct {
	t    *testing.T
	s    *stranger
	name string
	rows []object
}

func (l *layout) blob(media string, body []byte, more object) object {
	l.t.Helper()
	sum := fmt.Sprintf("%x", sha256.Sum256(body))
	l.s.file(l.t, l.name+"/blobs/sha256/"+sum, body)
	row := object{"mediaType": media, "digest": "sha256:" + sum, "size": len(body)}
	maps.Copy(row, more)
	return row
}

func (l *layout) json(media string, value any, more object) object {
	l.t.Helper()
	body, err := json.Marshal(value)
	if err != nil {
		l.t.Fatal(err)
	}
	return l.blob(media, body, more)
}

// tag tags a manifest in the layout and returns its reference.
func (l *layout) tag(name string, row object) string {
	l.t.Helper()
	row = object{
		"mediaType": row["mediaType"], "digest": row["digest"], "size": row["size"],
		"annotations": object{"org.opencontainers.image.ref.name": name},
	}
	l.rows = append(l.rows, row)
	body, err := json.Marshal(object{"schemaVersion": 2, "manifests": l.rows})
	if err != nil {
		l.t.Fatal(err)
	}
	l.s.file(l.t, l.name+"/index.json", body)
	l.s.file(l.t, l.name+"/oci-layout", []byte(`{"imageLayoutVersion":"1.0.0"}`))
	return "oci:" + filepath.Join(l.s.dir, l.name) + ":" + name
}

const (
	ociIndex    = "application/vnd.oci.image.index.v1+json"
	ociManifest = "application/vnd.oci.image.manifest.v1+json"
	ociConfig   = "application/vnd.oci.image.config.v1+json"
	ociLayer    = "application/vnd.oci.image.layer.v1.tar"
)

// image writes an image in which every free text is hostile.
func (l *layout) image(platform object, layer []byte) object {
	s := l.s
	config := object{
		"created": "2024-01-01T00:00:00Z", "author": s.value("author"),
		"config": object{
			"Env": []string{s.value("env")}, "Entrypoint": []string{"/opt/" + s.value("entrypoint")},
			"Cmd":        []string{s.value("cmd")},
			"WorkingDir": "/" + s.value("workdir"), "User": s.value("user"), "StopSignal": s.value("signal"),
			"Labels": object{
				s.value("label key"):                 s.value("label value"),
				"org.opencontainers.image.base.name": s.value("base of label"), "mtool.allow-foreign": s.value("wish"),
			},
		},
		"rootfs":  object{"type": "layers", "diff_ids": []string{fmt.Sprintf("sha256:%x", sha256.Sum256(layer))}},
		"history": []object{{"created_by": s.value("history"), "comment": s.value("comment")}},
	}
	maps.Copy(config, platform)
	return l.json(ociManifest, object{
		"schemaVersion": 2, "mediaType": ociManifest, "config": l.json(ociConfig, config, nil),
		"layers": []object{l.blob(ociLayer, layer,
			object{"annotations": object{s.value("layer key"): s.value("layer value")}})},
		"annotations": object{
			s.value("image key"):                 s.value("image value"),
			"org.opencontainers.image.base.name": s.value("base"),
		},
	}, object{
		"platform": platform,
		"annotations": object{
			s.value("row key"):                   s.value("row value"),
			"org.opencontainers.image.base.name": s.value("base of row"),
		},
	})
}

// layerOf returns a layer with foreign programs and packages under hostile names.
func (s *stranger) layerOf() []byte {
	names := []string{
		"opt/" + s.value("entrypoint"), "usr/bin/" + s.value("program"),
		"srv/node_modules/" + s.value("package") + "/linux-x64/x.node", "opt/" + s.value("note") + "/testdata/x",
	}
	files := map[string][]byte{}
	for i, name := range names {
		names[i] = strings.ReplaceAll(name, "\x00", "") // not allowed in tar
		files[names[i]] = registrytest.ELF("amd64")
	}
	return tarOf(files)
}

func tarOf(files map[string][]byte) []byte {
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, name := range slices.Sorted(maps.Keys(files)) {
		// writing to a buffer can't fail
		_ = w.WriteHeader(&tar.Header{Name: name, Mode: 0o755, Size: int64(len(files[name])), Format: tar.FormatPAX})
		_, _ = w.Write(files[name])
	}
	_ = w.Close()
	return b.Bytes()
}

// lists writes lists and returns their references: with right platforms, with wrong ones, and with rows of other kinds.
func (s *stranger) lists(t *testing.T) (refs []string) {
	t.Helper()
	l := &layout{t: t, s: s, name: "hostile"}
	good := object{"os": "linux", "architecture": "arm64"}
	odd := object{
		"os": "::error::" + s.value("os"), "architecture": s.value("arch"), "variant": s.value("variant"),
		"os.version": s.value("os version"), "os.features": []string{s.value("os feature")},
	}
	windows := object{
		"os": "windows", "architecture": "amd64", "os.version": s.value("os version"),
		"os.features": []string{s.value("os feature")},
	}
	img := l.image(good, s.layerOf())
	statement := l.json(ociManifest, object{
		"schemaVersion": 2, "mediaType": ociManifest, "config": l.json(ociConfig, object{}, nil),
		"layers": []object{l.json("application/vnd.in-toto+json",
			object{
				"predicateType": s.value("predicate"), "subject": []object{{"name": s.value("subject")}},
				"predicate": object{"x": s.value("predicate value")},
			},
			object{"annotations": object{"in-toto.io/predicate-type": s.value("predicate type")}})},
	}, object{"platform": object{"os": "unknown", "architecture": "unknown"}, "annotations": object{
		"vnd.docker.reference.type": "attestation-manifest", "vnd.docker.reference.digest": img["digest"],
		s.value("statement key"): s.value("statement value"),
	}})
	artifact := l.json(ociManifest,
		object{
			"schemaVersion": 2, "mediaType": ociManifest,
			"config": l.json(s.value("media type of a config"), object{}, nil), "layers": []object{},
		},
		object{
			"artifactType": s.value("artifact type"),
			"annotations":  object{s.value("artifact key"): s.value("artifact value")},
		})
	list := func(name string, rows ...object) {
		refs = append(refs, l.tag(name, l.json(ociIndex, object{
			"schemaVersion": 2, "mediaType": ociIndex, "artifactType": s.value("list type"), "manifests": rows,
			"annotations": object{s.value("list key"): s.value("list value")},
		}, nil)))
	}
	list("v1", img, statement)
	list("others", img, artifact, statement,
		object{"mediaType": s.value("media type of a row"), "digest": "sha256:" + strings.Repeat("0", 64), "size": 3})
	list("odd", l.image(odd, s.layerOf()))
	list("windows", l.image(windows, s.layerOf()))
	lying := l.image(good, s.layerOf())
	lying["platform"] = odd
	list("lying", img, lying)
	refs = append(refs, l.tag("image", img))
	return refs
}

// rude starts a registry that answers each request with a hostile error, and returns a reference in it.
func (s *stranger) rude(t *testing.T) string {
	t.Helper()
	texts := []string{s.value("error code"), s.value("error message"), s.value("error detail")}
	codes := []int{400, 401, 403, 404, 409, 429, 500}
	n := 0
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		n++
		w.Header().Set("Warning", `299 - "<warning>::error::\u202e \xc2\x9b2J"`)
		w.Header().Set("WWW-Authenticate", "Basic realm=\"<realm>\u202e\u009b2J##[x]\"")
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(codes[n%len(codes)])
		body, _ := json.Marshal(object{"errors": []object{{"code": texts[0], "message": texts[1], "detail": texts[2]}}})
		_, _ = w.Write(body)
	}))
	t.Cleanup(server.Close)
	return strings.TrimPrefix(server.URL, "http://") + "/demo:v1"
}

// files writes the files that command lines name, and build contexts.
func (s *stranger) files(t *testing.T) map[string]string {
	t.Helper()
	odd := strings.NewReplacer("/", "%", "\x00", "").Replace(s.value("file name"))
	quoted := func(field string) string { return strconv.QuoteToASCII(s.value(field)) } // for YAML
	inJSON := func(field string) string {
		b, _ := json.Marshal(strings.ReplaceAll(s.value(field), "\U000e0041", "")) // YAML has no surrogates
		var ascii strings.Builder
		for _, r := range string(b) {
			if r < 0x7f {
				ascii.WriteRune(r)
			} else {
				fmt.Fprintf(&ascii, "\\u%04x", r)
			}
		}
		return ascii.String()
	}
	inLine := func(field string) string {
		return strings.NewReplacer("\n", "", "\r", "", "\x00", "").Replace(s.value(field))
	}
	return map[string]string{
		"deploy": s.file(t, odd+".yaml",
			[]byte("apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: "+quoted("name of an object")+", namespace: "+
				quoted("namespace")+
				"}\nspec: {template: {spec: {containers: [{name: "+quoted("container")+", image: "+quoted("image")+
				"}, {name: x, image: '127.0.0.1:1/x:v1', command: ["+quoted("command")+"]}]}}}\n---\nkind: "+quoted("kind")+
				"\napiVersion: x\nmetadata: {name: x}\nspec: {image: 127.0.0.1:1/x:v1}\n")),
		"deploy2": s.file(t, "deploy2.yaml",
			[]byte("kind: "+quoted("kind")+"\napiVersion: x\nmetadata: {name: x}\nspec: {image: "+
				quoted("image of a kind")+"}\n")),
		"compose": s.file(t, "compose.yaml",
			[]byte("services: {"+quoted("service")+": {image: 'a:b', platform: "+quoted("platform of a service")+
				"}, x: {image: '127.0.0.1:1/x:v1', build: {context: "+quoted("context")+"}}}\n")),
		"compose2": s.file(t, "compose2.yaml", []byte("services: {x: {image: "+quoted("image of a service")+"}}\n")),
		"cluster": s.file(t, "nodes.json",
			[]byte(`{"kind":"List","items":[{"metadata":{"name":`+inJSON("node")+`},"status":{"nodeInfo":{"architecture":`+
				inJSON("arch of a node")+`,"operatingSystem":"linux"}}}]}`)),
		"spec": s.file(t, "spec.yaml",
			[]byte("image: "+quoted("list of a spec")+"\n"+quoted("key of a spec")+": 1\nmanifests: [{image: "+
				quoted("image of a spec")+"}]\n")),
		"spec2": s.file(t, "spec2.yaml",
			[]byte("manifests: [{image: "+quoted("image of a spec")+", platform: {os: linux, architecture: "+
				quoted("arch of a spec")+"}}]\ntags: ["+quoted("tag of a spec")+"]\n")),
		"result": s.file(t, "result.json", []byte(`{"schema":`+inJSON("schema of a result")+`}`)),
		"result2": s.file(t, "result2.json",
			[]byte(`{"schema":"mtool.result/v1","repo":`+inJSON("repo of a result")+`,"digest":"sha256:`+strings.Repeat("0", 64)+
				`","platform":"linux/amd64","version":`+inJSON("version")+`}`)),
		"key": s.file(t, odd+".pub", []byte(s.value("key"))),
		"descriptor": s.file(t, "descriptor.json",
			[]byte(`{"mediaType":`+inJSON("media type")+`,"digest":`+inJSON("digest")+`,"size":3}`)),
		"context": filepath.Dir(s.file(t, "context/Dockerfile",
			[]byte("# syntax="+inLine("syntax")+"\nARG X="+strconv.QuoteToASCII(inLine("arg"))+
				"\nFROM scratch AS x\nFROM scratch AS "+inLine("stage")+"\n"))),
		"context2": filepath.Dir(s.file(t, "context2/Dockerfile",
			[]byte("ARG TARGETARCH=amd64\nFROM scratch\nCOPY amd64 /"+inLine("copied amd64")+"\nRUN echo amd64 "+
				inLine("run amd64")+"\n"))),
		"archive": s.file(t, odd+".tar", tarOf(map[string][]byte{strings.ReplaceAll(s.value("member"), "\x00", ""): nil})),
	}
}

// hostileCommands returns command lines for every command that shows text of others.
func hostileCommands(lists []string, rude string, files map[string]string) (all [][]string) {
	add := func(words ...string) { all = append(all, words) }
	outputs := []string{"table", "tree", "json", "markdown", "html", "junit", "sarif", "github"}
	for _, ref := range append(slices.Clone(lists), rude) {
		for _, o := range outputs {
			add("inspect", "-o", o, ref)
			add("inspect", "-o", o, "--deep", "--strict", "--signatures", "--provenance", "--require", "linux/s390x", ref)
			add("inspect", "-o", o, "--deep", "--entrypoint-only", ref, lists[0])
		}
		for _, format := range []string{
			"{{.}}", "{{.Annotations}}", "{{range $k, $v := .Annotations}}{{$k}}{{$v}}{{end}}",
			"{{println .Annotations}}{{print .Reference .Annotations}}", `{{printf "%v\n%s" .Platforms .Annotations}}`,
			"{{json .}}",
			"{{range .Platforms}}{{.Platform}} {{.Claim}} {{.Config}} {{.Annotations}} {{with .Base}}{{.Name}}{{end}}{{else}}{{.}}{{end}}", `{{range .Findings}}:{{.Message}}{{"\n"}}{{.Path}}{{.Claim}}{{end}}`,
			`{{define "x"}}{{.}}{{end}}{{template "x" .Annotations}}`,
			`{{range .Platforms}}{{join .Nested "\n"}}{{upper .Platform}}{{.Provenance}}{{.SBOM}}{{end}}`,
		} {
			add("inspect", "--format", format, ref)
		}
		for _, format := range []string{
			"{{.}}", "{{json .}}", "{{.Name}} {{.Manifest}} {{.Image}} {{.Provenance}} {{.SBOM}}",
			"{{json .Image}}{{println .Manifest.Annotations}}",
		} {
			add("imagetools", "inspect", "--format", format, ref)
		}
		for _, other := range []string{lists[0], lists[2], rude} {
			add("diff", ref, other)
			add("diff", "-o", "json", ref, other)
		}
		for _, words := range []string{
			"manifest inspect REF", "manifest inspect --verbose REF",
			"manifest inspect REF sha256:0000000000000000000000000000000000000000000000000000000000000000",
			"imagetools inspect REF", "imagetools create --dry-run -t 127.0.0.1:1/x:v1 REF",
			"imagetools create -t 127.0.0.1:1/x:v1 REF", "manifest create made:v1 REF", "manifest push made:v1",
			"resolve REF", "resolve --same -o json --node linux/amd64,linux/arm64/v9 REF",
			"create --fix-config --force made:v7 REF", "exists REF", "copy REF store:copied:v1",
			"copy --force --deep REF store:copied:v2", "copy --dry-run REF 127.0.0.1:1/x:v1",
			"push --dry-run REF 127.0.0.1:1/x:v1", "push --force REF 127.0.0.1:1/x:v1",
			"create made:v1 REF", "create --force made:v1 REF", "create --force --dry-run made:v2 REF",
			"create --force --push --dry-run 127.0.0.1:1/made:v2 REF", "create --force --platform linux/arm64 made:v3 REF",
			"create --no-flatten --force made:v4 REF",
			"create --force --promote-annotations --promote-labels made:v5 REF",
			"create --convert --type docker --force made:v6 REF", "amend made:v1 REF", "amend --force made:v1 REF",
			"annotate made:v1 linux/arm64 --annotation x=y",
			"annotate made:v1 " + registrytest.Hostile("typed") + " --arch amd64",
			"set made:v1 --label a=b", "set REF -t store:set:v1 --label a=b --force",
			"rebase REF --old REF --new REF -t store:rebased:v1 --force", "check-base REF", "check-base -o json REF",
			"remove made:v1 linux/arm64", "save --force REF -o FILE", "ls", "ls -o json", "du", "rename made:v1 made:v9",
			"rm made:v9 made:v8", "prune", "prune --drafts --images --older-than 0s --dry-run", "auth check REF",
			"auth check --push REF",
			"build --preflight --arch arm64 --build-context x=REF CONTEXT2",
		} {
			var line []string
			for word := range strings.SplitSeq(words, " ") {
				line = append(line,
					strings.NewReplacer("REF", ref, "FILE", files["archive"]+".new", "CONTEXT2", files["context2"]).Replace(word))
			}
			add(line...)
		}
	}
	for _, o := range outputs {
		add("inspect", "-o", o, "-f", files["deploy"])
		add("inspect", "-o", o, "-f", files["deploy2"])
		add("inspect", "-o", o, "-f", files["compose"])
		add("inspect", "-o", o, "-f", files["compose2"])
		add("inspect", "-o", o, "--cluster", files["cluster"], lists[0])
		add("inspect", "-o", o, "-f", files["deploy"], "-f", files["compose"], "--cluster", files["cluster"])
	}
	add("inspect", "--signed-by", files["key"], lists[0])
	add("inspect", "oci-archive:"+files["archive"])
	add("load", files["archive"])
	add("load", strings.TrimSuffix(strings.TrimPrefix(lists[0], "oci:"), ":v1"))
	add("create", "made:v1", "--spec", files["spec"])
	add("create", "--spec", files["spec2"], "--push", "127.0.0.1:1/x:v1")
	add("create", "made:v1", "--from-files", filepath.Dir(files["result"])+"/*esult.json", "--any")
	add("create", "made:v1", "--from-files", files["result2"], "--any")
	add("create", "made:v1", files["descriptor"])
	add("imagetools", "create", "-t", "127.0.0.1:1/x:v1", "-f", files["descriptor"])
	for _, context := range []string{files["context"], files["context2"]} {
		add("build", "--check", context)
		add("build", "--check", "--strict", context)
		add("build", "--preflight", context)
		add("build", "--preflight", "--syntax", "builtin", context)
	}
	typed := registrytest.Hostile("typed")
	for _, words := range [][]string{
		{typed},
		{"inspect", typed},
		{"inspect", "--" + typed},
		{"inspect", "--require", typed, "x"},
		{"inspect", "-f", typed},
		{"inspect", "-o", typed, "x"},
		{"inspect", "--allow-foreign", typed, "--deep", "x"},
		{"build", typed},
		{"build", "--arch", typed},
		{"build", "-t", typed},
		{"build", "--output", "type=" + typed},
		{"build", "--worker", typed},
		{"create", typed, "x"},
		{"create", "x", typed},
		{"push", typed},
		{"rm", typed},
		{"delete", typed},
		{"tags", typed},
		{"ls", typed},
		{"login", typed},
		{"logout", typed},
		{"auth", typed},
		{"manifest", typed},
		{"imagetools", typed},
		{"podman-manifest", typed},
		{"emulators", typed},
		{"workers", "--worker", typed},
		{"serve", "--listen", typed},
		{"prune", "--older-than", typed, "--drafts"},
		{"version", typed},
		{"help", typed},
		{"completion", typed},
		{"__complete", "rm", ""},
		{"inspect", "--mirror", typed, "x"},
		{"inspect", "--client-cert", typed, "x"},
		{"inspect", "--plain-http", typed, "x"},
		{"inspect", "--ca-file", typed, "x"},
		{"inspect", "--timeout", typed, "x"},
		{"emulators"},
		{"emulators", "-o", "json"},
		{"version"},
		{"docker-cli-plugin-metadata"},
	} {
		add(words...)
	}
	return all
}

// No command's output, in any format, lets hostile text control a terminal or a CI system or start a line. Each value
// must still be shown by some command.
func TestHostile(t *testing.T) {
	home := t.TempDir()
	for name, value := range map[string]string{
		"HOME": home, "MTOOL_HOME": home + "/mtool", "XDG_CACHE_HOME": home, "XDG_DATA_HOME": home, "DOCKER_CONFIG": home,
		"GITHUB_STEP_SUMMARY": home + "/summary",
		"GITHUB_OUTPUT":       home + "/output", "DOCKER_HOST": "unix:///none", "MTOOL_WORKERS": "", "BUILDKIT_HOST": "",
	} {
		t.Setenv(name, value)
	}
	s := &stranger{dir: t.TempDir()}
	lists, files := s.lists(t), s.files(t)
	var all bytes.Buffer
	for _, args := range hostileCommands(lists, s.rude(t), files) {
		var out, stderr bytes.Buffer
		args = append(args, "--retry=0", "--timeout=20s")
		Run(t.Context(), args, Stdio{In: strings.NewReader(""), Out: &out, Err: &stderr})
		for _, text := range []string{withoutOwnCommands(args, out.String()), stderr.String()} {
			if bad := registrytest.Injection(text); bad != "" {
				t.Errorf("%.300q: %q", args, bad)
			}
		}
		if strings.Contains(stderr.String(), "internal error") {
			t.Errorf("%.300q: %s", args, &stderr)
		}
		all.Write(out.Bytes())
		all.Write(stderr.Bytes())
	}
	summary, _ := os.ReadFile(home + "/summary")
	if bad := registrytest.Injection(string(summary)); bad != "" || len(summary) == 0 {
		t.Errorf("the job summary: %q", bad)
	}
	hidden := []string{ // shown by no command, or not reached because of an earlier error
		"layer key", "layer value", "subject", "media type of a config", "syntax", "copied amd64", "run amd64", "member",
		"error detail", "tag of a spec", "arch of a node", "predicate value",
		"list of a spec",
	}
	for _, field := range s.fields {
		if !strings.Contains(all.String(), field) && !slices.Contains(hidden, field) {
			t.Errorf("%q was not shown anywhere", field)
		}
	}
}

// withoutOwnCommands removes the workflow commands that inspect -o github prints itself.
func withoutOwnCommands(args []string, text string) string {
	if !slices.Contains(args, "github") {
		return text
	}
	return regexp.MustCompile(`(?m)^::(error|notice) (file=[^:,]*,line=\d+,)?title=[^:]*::`).ReplaceAllString(text,
		"annotation ")
}
