package cli

import (
	"encoding/csv"
	"fmt"
	"net/netip"
	"os"
	"strings"

	"github.com/docker/go-units"

	"mtool/build"
	"mtool/cmd/internal/app"
	"mtool/registry"
)

// parseFields reads KEY=VALUE,KEY=VALUE; a field with a comma in it is quoted as in CSV. Keys are in lower case.
func parseFields(flag, text string) (map[string]string, error) {
	r := csv.NewReader(strings.NewReader(text))
	fields, err := r.Read()
	if err != nil {
		return nil, usagef("", "%s %q: %v", flag, text, err)
	}
	pairs := make(map[string]string, len(fields))
	for _, field := range fields {
		key, value, ok := strings.Cut(field, "=")
		if !ok {
			return nil, usagef("", "%s %q: %q is not KEY=VALUE", flag, text, field)
		}
		if err := stated(fmt.Sprintf("%s %q: %s", flag, text, key), value); err != nil {
			return nil, err
		}
		pairs[strings.ToLower(key)] = value
	}
	return pairs, nil
}

// only refuses keys that are not among the words.
func only(flag, text string, pairs map[string]string, words ...string) error {
	for key := range pairs {
		if oneOf("", key, words...) != nil {
			return usagef("", "%s %q: %q is none of %s", flag, text, key, strings.Join(words, ", "))
		}
	}
	return nil
}

// parseSecrets reads id=ID,src=FILE and id=ID,env=NAME. With an id alone it is the variable of that name, else the
// file.
func parseSecrets(values []string) (secrets []build.Secret, err error) {
	for _, v := range values {
		pairs, err := parseFields("--secret", v)
		if err != nil {
			return nil, err
		}
		if err := only("--secret", v, pairs, "id", "src", "source", "env", "type"); err != nil {
			return nil, err
		}
		s := build.Secret{ID: pairs["id"], File: pairs["src"] + pairs["source"], Env: pairs["env"]}
		switch {
		case s.ID == "":
			return nil, usagef("--secret id=NAME,src=FILE", "--secret %q has no id", v)
		case s.File != "" && s.Env != "":
			return nil, usagef("", "--secret %q names both a file and a variable", v)
		case pairs["type"] == "env" && s.Env == "":
			s.Env, s.File = s.File, ""
		}
		if s.File == "" && s.Env == "" {
			if _, ok := os.LookupEnv(s.ID); ok && pairs["type"] != "file" {
				s.Env = s.ID
			} else {
				s.File = s.ID
			}
		}
		secrets = append(secrets, s)
	}
	return secrets, nil
}

// parseSSH reads ID[=SOCKET|KEY[,KEY]].
func parseSSH(values []string) (agents []build.SSH, err error) {
	for _, v := range values {
		id, paths, named := strings.Cut(v, "=")
		s := build.SSH{ID: id}
		if named {
			s.Paths = strings.Split(paths, ",")
		}
		for _, path := range append(s.Paths, id) {
			if err := stated(fmt.Sprintf("--ssh %q: a part", v), path); err != nil {
				return nil, err
			}
		}
		if !named && os.Getenv("SSH_AUTH_SOCK") == "" {
			return nil, usagef("start an agent, or name a key: --ssh "+id+"=FILE",
				"--ssh %s: there is no agent, SSH_AUTH_SOCK is not set", v)
		}
		agents = append(agents, s)
	}
	return agents, nil
}

// parseHosts reads HOST:IP and HOST=IP; an IPv6 address may be in brackets.
func parseHosts(values []string) (hosts []string, err error) {
	for _, v := range values {
		i := strings.IndexAny(v, ":=")
		if i <= 0 {
			return nil, usagef("", "--add-host %q is not HOST:IP", v)
		}
		if v[i+1:] == "host-gateway" {
			hosts = append(hosts, v[:i]+"=host-gateway")
			continue
		}
		ip, err := netip.ParseAddr(strings.Trim(v[i+1:], "[]"))
		if err != nil {
			return nil, usagef("", "--add-host %q: %q is neither an IP address nor host-gateway", v, v[i+1:])
		}
		hosts = append(hosts, v[:i]+"="+ip.String())
	}
	return hosts, nil
}

// checkUlimits refuses what the frontend would, before anything starts.
func checkUlimits(values []string) error {
	for _, v := range values {
		if _, err := units.ParseUlimit(v); err != nil {
			return usagef("", "--ulimit %q is not NAME=SOFT[:HARD]: %v", v, err)
		}
	}
	return nil
}

// parseSize reads a number of bytes with an optional unit, as docker does: 64m, 1.5g, 512k, 1024; units are powers of
// 1024.
func parseSize(flag, text string) (int64, error) {
	if text == "" {
		return 0, nil
	}
	n, err := units.RAMInBytes(text)
	if err != nil || n <= 0 || n > 1<<62 {
		return 0, usagef("", "%s %q is not a size; 64m is one", flag, text)
	}
	return n, nil
}

// outputs are what -o says, besides pushing and loading.
type outputs struct {
	files      []app.BuildOutput
	push, load bool
	names      []registry.Ref  // of type=registry,name=…
	noImage    bool            // only files are made
	compress   []compressFlags // of those that name a compression
}

// parseOutputs reads DIR, "-" (a tar on standard output) and type=local|tar|oci|docker|registry|image|cacheonly,dest=….
func parseOutputs(values []string) (o outputs, err error) {
	for _, v := range values {
		if !strings.Contains(v, "=") {
			out := app.BuildOutput{Type: "local", Dest: v}
			if v == "-" {
				out.Type = "tar"
			}
			o.files = append(o.files, out)
			continue
		}
		pairs, err := parseFields("--output", v)
		if err != nil {
			return o, err
		}
		if err := o.add(v, pairs); err != nil {
			return o, err
		}
	}
	return o, nil
}

func (o *outputs) add(v string, pairs map[string]string) error {
	if err := only("--output", v, pairs, "type", "dest", "name", "push", "compression", "compression-level",
		"force-compression"); err != nil {
		return err
	}
	if c := outputCompression(pairs); c != (compressFlags{}) {
		o.compress = append(o.compress, c)
	}
	kind, dest := pairs["type"], pairs["dest"]
	switch kind {
	case "local", "tar", "oci":
		if dest == "" && kind != "local" {
			dest = "-"
		}
		if dest == "" {
			return usagef("--output type=local,dest=DIR", "--output %q has no dest", v)
		}
		o.files = append(o.files, app.BuildOutput{Type: kind, Dest: dest})
	case "docker":
		if o.load = o.load || dest == ""; dest != "" {
			o.files = append(o.files, app.BuildOutput{Type: kind, Dest: dest})
		}
	case "registry", "image":
		o.push = o.push || kind == "registry" || pairs["push"] == "true"
		return o.addNames(pairs["name"])
	case "cacheonly":
		o.noImage = true
	default:
		return usagef("", "--output %q: type must be local, tar, oci, docker, registry, image or cacheonly", v)
	}
	return nil
}

// addNames reads a comma list; "" is none.
func (o *outputs) addNames(names string) error {
	if names == "" {
		return nil
	}
	for name := range strings.SplitSeq(names, ",") {
		ref, err := parseListName(name)
		if err != nil {
			return err
		}
		o.names = append(o.names, ref)
	}
	return nil
}

// splitAnnotations parts those of the list (index:KEY=VALUE) from those of every image (KEY=VALUE, manifest:KEY=VALUE).
func splitAnnotations(values []string) (images, list map[string]string, err error) {
	var forImages, forList []string
	for _, v := range values {
		if rest, ok := strings.CutPrefix(v, "index:"); ok {
			forList = append(forList, rest)
			continue
		}
		forImages = append(forImages, strings.TrimPrefix(v, "manifest:"))
	}
	if images, err = parsePairs("--annotation", forImages); err != nil {
		return nil, nil, err
	}
	list, err = parsePairs("--annotation", forList)
	return images, list, err
}
