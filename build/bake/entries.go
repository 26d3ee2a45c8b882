package bake

import (
	"encoding/csv"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"

	"mtool/registry"
)

// Entries are options that a file writes as text (type=local,dest=out) or as objects; here all are text.
type Entries []string

// FromCtyValue reads a list of texts and objects, for the parser.
func (e *Entries) FromCtyValue(in cty.Value, at cty.Path) error {
	if in.IsNull() || !in.IsKnown() {
		return nil
	}
	if !in.CanIterateElements() || in.Type().IsObjectType() || in.Type().IsMapType() {
		return at.NewErrorf("a list is wanted, of texts or objects")
	}
	*e = Entries{}
	for _, value := range in.AsValueSlice() {
		text, err := entryText(value)
		if err != nil {
			return at.NewError(err)
		}
		if text != "" {
			*e = append(*e, text)
		}
	}
	return nil
}

// ToCtyValue makes a list, for other targets that refer to it.
func (e Entries) ToCtyValue() cty.Value {
	if len(e) == 0 {
		return cty.ListValEmpty(cty.String)
	}
	var all []cty.Value
	for _, text := range e {
		all = append(all, cty.StringVal(text))
	}
	return cty.ListVal(all)
}

// entryText returns an entry as text.
func entryText(value cty.Value) (string, error) {
	if value.IsNull() || !value.IsKnown() {
		return "", nil
	}
	if !value.Type().IsObjectType() && !value.Type().IsMapType() {
		return wordOf(value)
	}
	members := map[string]string{}
	for key, v := range value.AsValueMap() {
		if v.IsNull() || !v.IsKnown() {
			continue
		}
		if v.CanIterateElements() { // the paths of an SSH key
			var words []string
			for _, item := range v.AsValueSlice() {
				word, err := wordOf(item)
				if err != nil {
					return "", err
				}
				words = append(words, word)
			}
			members[key] = strings.Join(words, ",")
			continue
		}
		word, err := wordOf(v)
		if err != nil {
			return "", err
		}
		members[key] = word
	}
	if paths, ok := members["paths"]; ok {
		return members["id"] + "=" + paths, nil
	}
	if id, ok := members["id"]; ok && len(members) == 1 {
		return "id=" + id, nil
	}
	return joinFields(members), nil
}

func wordOf(v cty.Value) (string, error) {
	word, err := convert.Convert(v, cty.String)
	if err != nil || word.IsNull() {
		return "", errors.New("a text or an object with texts is wanted")
	}
	return word.AsString(), nil
}

// joinFields writes type=T,KEY=VALUE …, sorted.
func joinFields(members map[string]string) string {
	keys := slices.Sorted(maps.Keys(members))
	slices.SortStableFunc(keys, func(a, b string) int { return strings.Compare(rank(a), rank(b)) })
	var fields []string
	for _, key := range keys {
		fields = append(fields, key+"="+members[key])
	}
	var text strings.Builder
	w := csv.NewWriter(&text)
	_ = w.Write(fields) // into memory
	w.Flush()
	return strings.TrimSuffix(text.String(), "\n")
}

func rank(key string) string {
	if key == "type" || key == "id" {
		return "0"
	}
	return "1"
}

// kind is one of the options of a target that are Entries.
type kind struct {
	key   string
	list  *Entries
	parse func(text string) (map[string]any, error) // as JSON has it
	same  string                                    // the member that two entries must not share; "": all
}

func (t *Target) kinds() []kind {
	return []kind{
		{"attest", &t.Attest, parseAttest, "type"},
		{"cache-from", &t.CacheFrom, parseCache, ""},
		{"cache-to", &t.CacheTo, parseCache, ""},
		{"output", &t.Outputs, parseOutput, ""},
		{"secret", &t.Secrets, parseSecret, "id"},
		{"ssh", &t.SSH, parseSSH, "id"},
	}
}

// normalize checks the entries. Of those that are the same, the last wins, in the place of the first.
func (k kind) normalize(target string) error {
	var left Entries
	at := map[string]int{}
	for _, text := range *k.list {
		if text == "" {
			continue
		}
		members, err := k.parse(text)
		if err != nil {
			return registry.Usagef("target %s: %s %q: %w", target, k.key, text, err)
		}
		name := fmt.Sprint(members) // maps are printed sorted
		if k.same != "" {
			name = fmt.Sprint(members[k.same])
		}
		if i, ok := at[name]; ok {
			left[i] = text
			continue
		}
		at[name], left = len(left), append(left, text)
	}
	*k.list = left
	return nil
}

// members returns the entries as JSON has them.
func (k kind) members() []map[string]any {
	var all []map[string]any
	for _, text := range *k.list {
		members, _ := k.parse(text) // checked by normalize
		all = append(all, members)
	}
	return all
}

// fields reads KEY=VALUE,KEY=VALUE.
func fields(text string) (map[string]any, error) {
	all, err := csv.NewReader(strings.NewReader(text)).Read()
	if err != nil {
		return nil, err
	}
	members := map[string]any{}
	for _, field := range all {
		key, value, ok := strings.Cut(field, "=")
		if !ok {
			return nil, fmt.Errorf("%q is not KEY=VALUE", field)
		}
		members[strings.ToLower(strings.TrimSpace(key))] = value
	}
	return members, nil
}

// typed are fields with a type.
func typed(text string) (map[string]any, error) {
	members, err := fields(text)
	if err == nil && (members["type"] == nil || members["type"] == "") {
		return nil, errors.New("it has no type")
	}
	return members, err
}

func parseCache(text string) (map[string]any, error) {
	if !strings.Contains(text, "=") {
		return map[string]any{"type": "registry", "ref": text}, nil
	}
	return typed(text)
}

func parseOutput(text string) (map[string]any, error) {
	switch {
	case text == "-":
		return map[string]any{"type": "tar", "dest": "-"}, nil
	case !strings.Contains(text, ",") && !strings.HasPrefix(text, "type="):
		return map[string]any{"type": "local", "dest": text}, nil
	}
	return typed(text)
}

func parseAttest(text string) (map[string]any, error) {
	members, err := typed(text)
	if members["disabled"] == "true" {
		members["disabled"] = true
	} else {
		delete(members, "disabled")
	}
	return members, err
}

func parseSecret(text string) (map[string]any, error) {
	members, err := fields(text)
	if err != nil {
		return nil, err
	}
	for _, key := range slices.Sorted(maps.Keys(members)) {
		if !slices.Contains([]string{"id", "src", "source", "env", "type"}, key) {
			return nil, fmt.Errorf("%q is none of id, src, env, type", key)
		}
	}
	if source, ok := members["source"]; ok {
		members["src"] = source
		delete(members, "source")
	}
	if source, ok := members["src"]; ok && members["type"] == "env" && members["env"] == nil {
		members["env"] = source
		delete(members, "src")
	}
	delete(members, "type")
	return members, nil
}

func parseSSH(text string) (map[string]any, error) {
	if id, ok := strings.CutPrefix(text, "id="); ok && !strings.ContainsAny(id, ",=") {
		text = id
	}
	id, paths, some := strings.Cut(text, "=")
	members := map[string]any{"id": id}
	if some {
		members["paths"] = strings.Split(paths, ",")
	}
	return members, nil
}
