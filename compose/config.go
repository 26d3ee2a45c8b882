package compose

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"mtool/inspect/platform"
	"mtool/registry"
)

// ConfigEdit says what changes in the config of an image; what is nil or empty stays as it is. The image's digest
// changes by it. https://github.com/opencontainers/image-spec/blob/v1.1.1/config.md#properties
type ConfigEdit struct {
	Labels      map[string]string `json:"labels,omitempty"`
	UnsetLabels []string          `json:"unsetLabels,omitempty"`
	// Env has KEY=VALUE: in the place of the variable of that name, else at the end.
	Env      []string `json:"env,omitempty"`
	UnsetEnv []string `json:"unsetEnv,omitempty"`
	// Entrypoint and Cmd are taken away by an empty row.
	Entrypoint *[]string `json:"entrypoint,omitempty"`
	Cmd        *[]string `json:"cmd,omitempty"`
	// User, WorkingDir and StopSignal are taken away by "".
	User       *string `json:"user,omitempty"`
	WorkingDir *string `json:"workingDir,omitempty"`
	StopSignal *string `json:"stopSignal,omitempty"`
	// Ports are PORT/PROTOCOL, or PORT for TCP.
	Ports        []string   `json:"ports,omitempty"`
	UnsetPorts   []string   `json:"unsetPorts,omitempty"`
	Volumes      []string   `json:"volumes,omitempty"`
	UnsetVolumes []string   `json:"unsetVolumes,omitempty"`
	Created      *time.Time `json:"created,omitempty"`
	// Platform is what the config says that the image is for; its row in the list follows.
	Platform *v1.Platform `json:"platform,omitempty"`
}

// empty reports whether nothing is asked for.
func (d ConfigEdit) empty() bool {
	strs := slices.Concat(d.UnsetLabels, d.Env, d.UnsetEnv, d.Ports, d.UnsetPorts, d.Volumes, d.UnsetVolumes)
	return len(strs) == 0 && len(d.Labels) == 0 && d.Entrypoint == nil && d.Cmd == nil && d.User == nil &&
		d.WorkingDir == nil &&
		d.StopSignal == nil && d.Created == nil && d.Platform == nil
}

// Check refuses an edit that asks for nothing, what no config can hold, and names that are both set and taken away. The
// error wraps registry.ErrUsage.
func (d ConfigEdit) Check() error {
	if d.empty() {
		return registry.Usagef("nothing to change")
	}
	env := make([]string, len(d.Env))
	for i, pair := range d.Env {
		name, _, ok := strings.Cut(pair, "=")
		if !ok || name == "" {
			return registry.Usagef("environment variable %q: want KEY=VALUE", pair)
		}
		env[i] = name
	}
	for _, kind := range []struct {
		what       string
		set, unset []string
	}{
		{"label", slices.Sorted(maps.Keys(d.Labels)), d.UnsetLabels},
		{"environment variable", env, d.UnsetEnv},
		{"port", d.Ports, d.UnsetPorts},
		{"volume", d.Volumes, d.UnsetVolumes},
	} {
		seen := map[string]bool{}
		for _, name := range slices.Concat(kind.set, kind.unset) {
			if name == "" {
				return registry.Usagef("a %s needs a name", kind.what)
			}
			if seen[name] {
				return registry.Usagef("%s %q is named twice", kind.what, name)
			}
			seen[name] = true
		}
	}
	for _, port := range d.Ports {
		if !isPort(port) {
			return registry.Usagef("port %q: want a number up to 65535, and perhaps /tcp, /udp or /sctp", port)
		}
	}
	if d.Platform != nil {
		return platform.Validate(*d.Platform)
	}
	return nil
}

// apply returns the config with the edit, byte for byte the same where the edit changes nothing.
func (d ConfigEdit) apply(config []byte) ([]byte, error) {
	o, err := parseObject(config)
	if err != nil {
		return nil, err
	}
	before := o.encode()
	if o, err = d.applyTop(o); err != nil {
		return nil, err
	}
	raw := o.get("config")
	inner := object{}
	if raw != nil && string(raw) != "null" {
		if inner, err = parseObject(raw); err != nil {
			return nil, err
		}
	}
	if inner, err = d.applyInner(inner); err != nil {
		return nil, err
	}
	if len(inner) > 0 || raw != nil {
		o = o.setRaw("config", inner.encode())
	}
	if after := o.encode(); !bytes.Equal(after, before) {
		return after, nil
	}
	return config, nil
}

// applyTop edits the members next to "config".
func (d ConfigEdit) applyTop(o object) (object, error) {
	var err error
	if d.Created != nil {
		if o, err = o.set("created", d.Created.UTC().Format(time.RFC3339Nano)); err != nil {
			return nil, err
		}
	}
	if d.Platform != nil {
		return o.setPlatform(*d.Platform)
	}
	return o, nil
}

// applyInner edits the member "config".
func (d ConfigEdit) applyInner(o object) (object, error) {
	var labels map[string]string
	if err := o.decode("Labels", &labels); err != nil {
		return nil, err
	}
	var env []string
	if err := o.decode("Env", &env); err != nil {
		return nil, err
	}
	o, err := o.setStrings("Labels", editMap(labels, d.Labels, d.UnsetLabels))
	if err != nil {
		return nil, err
	}
	if len(d.Env)+len(d.UnsetEnv) > 0 {
		if o, err = o.setOrRemove("Env", d.environment(env)); err != nil {
			return nil, err
		}
	}
	for _, row := range []struct {
		name  string
		value *[]string
	}{{"Entrypoint", d.Entrypoint}, {"Cmd", d.Cmd}} {
		if row.value == nil {
			continue
		}
		if o, err = o.setOrRemove(row.name, *row.value); err != nil {
			return nil, err
		}
	}
	for _, word := range []struct {
		name  string
		value *string
	}{{"User", d.User}, {"WorkingDir", d.WorkingDir}, {"StopSignal", d.StopSignal}} {
		switch {
		case word.value == nil:
		case *word.value == "":
			o = o.remove(word.name)
		default:
			if o, err = o.set(word.name, *word.value); err != nil {
				return nil, err
			}
		}
	}
	if o, err = o.setKeys("ExposedPorts", protocols(d.Ports), protocols(d.UnsetPorts)); err != nil {
		return nil, err
	}
	return o.setKeys("Volumes", d.Volumes, d.UnsetVolumes)
}

// environment is have with the edit.
func (d ConfigEdit) environment(have []string) []string {
	out := slices.Clone(have)
	for _, pair := range d.Env {
		name, _, _ := strings.Cut(pair, "=")
		i := slices.IndexFunc(out, func(s string) bool { return strings.HasPrefix(s, name+"=") })
		if i < 0 {
			out = append(out, pair)
			continue
		}
		out[i] = pair
	}
	return slices.DeleteFunc(out, func(s string) bool {
		name, _, _ := strings.Cut(s, "=")
		return slices.Contains(d.UnsetEnv, name)
	})
}

// protocols writes ports as configs do: 80 is 80/tcp.
// isPort reports whether text is PORT or PORT/PROTOCOL, as in a config's ExposedPorts.
func isPort(text string) bool {
	number, protocol, named := strings.Cut(text, "/")
	n, err := strconv.ParseUint(number, 10, 16)
	return err == nil && n > 0 && (!named || slices.Contains([]string{"tcp", "udp", "sctp"}, protocol))
}

func protocols(ports []string) []string {
	out := slices.Clone(ports)
	for i, p := range out {
		if !strings.Contains(p, "/") {
			out[i] = p + "/tcp"
		}
	}
	return out
}

// decode reads a member; one that is not there leaves value as it is.
func (o object) decode(name string, value any) error {
	raw := o.get(name)
	if raw == nil {
		return nil
	}
	if err := json.Unmarshal(raw, value); err != nil {
		return fmt.Errorf("reading %s: %w: %w", name, registry.ErrContent, err)
	}
	return nil
}

// setOrRemove sets a member to words, or removes it if there are none.
func (o object) setOrRemove(name string, words []string) (object, error) {
	if len(words) == 0 {
		return o.remove(name), nil
	}
	return o.set(name, words)
}

// setKeys adds keys to an object whose values are empty objects, and takes others away; without keys it goes away.
func (o object) setKeys(name string, add, remove []string) (object, error) {
	if len(add)+len(remove) == 0 {
		return o, nil
	}
	inner := object{}
	if raw := o.get(name); raw != nil && string(raw) != "null" {
		var err error
		if inner, err = parseObject(raw); err != nil {
			return nil, err
		}
	}
	for _, key := range remove {
		inner = inner.remove(key)
	}
	for _, key := range add {
		if inner.get(key) == nil {
			inner = inner.setRaw(key, json.RawMessage("{}"))
		}
	}
	if len(inner) == 0 {
		return o.remove(name), nil
	}
	return o.setRaw(name, inner.encode()), nil
}

// withConfig returns an image's manifest that names another config.
func (o object) withConfig(config []byte) (object, error) {
	digest, size, err := v1.SHA256(bytes.NewReader(config))
	if err != nil {
		return nil, err
	}
	row, err := parseObject(o.get("config"))
	if err != nil {
		return nil, err
	}
	row = row.remove("data") // the old config, embedded
	if row, err = row.set("digest", digest.String()); err != nil {
		return nil, err
	}
	if row, err = row.set("size", size); err != nil {
		return nil, err
	}
	return o.setRaw("config", row.encode()), nil
}

// editMap returns old with what is set and without what is unset, nil if nothing is left.
func editMap(old, set map[string]string, unset []string) map[string]string {
	now := maps.Clone(old)
	if now == nil {
		now = map[string]string{}
	}
	maps.Copy(now, set)
	for _, k := range unset {
		delete(now, k)
	}
	if len(now) == 0 {
		return nil
	}
	return now
}
