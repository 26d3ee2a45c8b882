package bake

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/docker/buildx/bake/hclparser"
	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	hcljson "github.com/hashicorp/hcl/v2/json"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"

	"mtool/registry"
	"mtool/registry/regular"
)

// File is a file and its name.
type File struct {
	Name string
	Data []byte
}

// defaults are the files that are read when none is named, each that exists.
func defaults() []string {
	return []string{
		"docker-bake.json", "docker-bake.hcl", "docker-bake.override.json", "docker-bake.override.hcl",
	}
}

// Open reads the files; "-" is in. Without names it reads those that docker buildx bake looks for.
func Open(ctx context.Context, names []string, in io.Reader) (all []File, err error) {
	found := len(names) == 0
	if found {
		names = defaults()
	}
	for _, name := range names {
		var data []byte
		if name == "-" {
			data, err = regular.ReadAll(ctx, in, regular.MaxText)
		} else {
			data, err = regular.ReadTyped(ctx, name, regular.MaxText)
		}
		switch {
		case found && errors.Is(err, fs.ErrNotExist):
			continue
		case errors.Is(err, fs.ErrNotExist):
			return nil, registry.Usagef("reading %q: no such file", name)
		case err != nil:
			return nil, registry.Usagef("reading %q: %w", name, err)
		}
		all = append(all, File{Name: name, Data: data})
	}
	if len(all) == 0 {
		return nil, registry.Usagef("there is no bake file: none of %s", strings.Join(names, ", "))
	}
	return all, nil
}

// config is the content of all files. The parser reads it by its tags.
type config struct {
	Groups  []*Group  `hcl:"group,block" cty:"group"`
	Targets []*Target `hcl:"target,block" cty:"target"`
}

// parse reads the files, the later over the earlier.
func parse(files []File, o Options) (c config, err error) {
	defer func() { // it trusts the types of values
		if cause := recover(); cause != nil {
			err = registry.Usagef("%s: it is not a bake file: %v", names(files), cause)
		}
	}()
	var bodies []*hcl.File
	for _, f := range files {
		body, err := parseFile(f)
		if err != nil {
			return c, err
		}
		bodies = append(bodies, body)
	}
	lookup := func(name string) (string, bool) {
		if value, ok := o.Vars[name]; ok {
			return value, true
		}
		if o.Env == nil {
			return "", false
		}
		return o.Env(name)
	}
	parsed, problems := hclparser.Parse(hclparser.MergeFiles(bodies), hclparser.Opt{
		LookupVar: lookup, Vars: o.Defaults, ValidateLabel: checkName,
	}, &c)
	if problems.HasErrors() {
		return c, asUsage(problems)
	}
	for _, renamed := range parsed.Renamed { // a matrix makes a group of its targets
		for _, old := range slices.Sorted(maps.Keys(renamed)) {
			if made := unique(renamed[old]); len(made) != 1 || made[0] != old {
				c.Groups = append(c.Groups, &Group{Name: old, Targets: made})
			}
		}
	}
	return c, nil
}

func parseFile(f File) (*hcl.File, error) {
	var body *hcl.File
	var problems hcl.Diagnostics
	switch {
	case strings.HasSuffix(f.Name, ".json"):
		body, problems = hcljson.Parse(f.Data, f.Name)
	case strings.HasSuffix(f.Name, ".yaml"), strings.HasSuffix(f.Name, ".yml"):
		return nil, registry.Usagef("%q is a Compose file: bake files in HCL and JSON are read", f.Name)
	default:
		body, problems = hclsyntax.ParseConfig(f.Data, f.Name, hcl.InitialPos)
		if problems.HasErrors() && !strings.HasSuffix(f.Name, ".hcl") {
			if other, wrong := hcljson.Parse(f.Data, f.Name); !wrong.HasErrors() {
				body, problems = other, nil
			}
		}
	}
	if !problems.HasErrors() {
		problems = checkKnown(body)
	}
	if problems.HasErrors() {
		return nil, asUsage(problems)
	}
	return body, nil
}

// asUsage returns the problems with their places, one in a line.
func asUsage(problems hcl.Diagnostics) error {
	var all []string
	for _, p := range problems {
		if p.Severity != hcl.DiagError {
			continue
		}
		text := strings.ToLower(p.Summary[:1]) + p.Summary[1:] + ": " + strings.TrimSuffix(p.Detail, ".")
		if p.Subject != nil {
			text = fmt.Sprintf("%s:%d: %s", p.Subject.Filename, p.Subject.Start.Line, text)
		}
		all = append(all, text)
	}
	var errs []error
	for _, text := range unique(all) {
		errs = append(errs, registry.Usagef("%s", text))
	}
	return errors.Join(errs...)
}

func names(files []File) string {
	var all []string
	for _, f := range files {
		all = append(all, f.Name)
	}
	return strings.Join(all, ", ")
}

// checkName refuses names that --set could not write.
func checkName(name string) error {
	if !regexp.MustCompile(`^[a-zA-Z0-9_-]+$`).MatchString(name) {
		return errors.New("names consist of letters, digits, _ and -")
	}
	return nil
}

// GetName returns the name of a target, or of one of its matrix, for the parser.
func (t *Target) GetName(
	values *hcl.EvalContext, block *hcl.Block, load func(hcl.Expression) hcl.Diagnostics,
) (string, error) {
	set, err := attributes(block)
	if err != nil {
		return "", err
	}
	name, ok := set["name"]
	if !ok {
		return block.Labels[0], nil
	}
	if _, ok := set["matrix"]; !ok {
		return "", errors.New("a name needs a matrix")
	}
	if problems := load(name.Expr); problems.HasErrors() {
		return "", problems
	}
	value, problems := name.Expr.Value(values)
	if problems.HasErrors() {
		return "", problems
	}
	text, err := convert.Convert(value, cty.String)
	if err != nil || text.IsNull() || !text.IsKnown() {
		return "", errors.New("the name is not a text")
	}
	return text.AsString(), nil
}

// GetEvalContexts returns the values of each combination of a matrix, for the parser.
func (t *Target) GetEvalContexts(
	base *hcl.EvalContext, block *hcl.Block, load func(hcl.Expression) hcl.Diagnostics,
) ([]*hcl.EvalContext, error) {
	all := []*hcl.EvalContext{base}
	set, err := attributes(block)
	if err != nil || set["matrix"] == nil {
		return all, err
	}
	if problems := load(set["matrix"].Expr); problems.HasErrors() {
		return nil, problems
	}
	value, problems := set["matrix"].Expr.Value(base)
	if problems.HasErrors() {
		return nil, problems
	}
	if !value.IsKnown() || value.IsNull() || !value.Type().IsMapType() && !value.Type().IsObjectType() {
		return nil, errors.New("a matrix is a map")
	}
	axes := value.AsValueMap()
	for _, axis := range slices.Sorted(maps.Keys(axes)) {
		if !axes[axis].CanIterateElements() {
			return nil, fmt.Errorf("the values of matrix %q are no list", axis)
		}
		if all = cross(base, all, axis, axes[axis].AsValueSlice()); len(all) > maxMatrix {
			return nil, fmt.Errorf("the matrix has more than %d combinations", maxMatrix)
		}
	}
	return all, nil
}

// maxMatrix is more than any project has.
const maxMatrix = 1000

// cross returns all combinations of those so far with the values of one more axis.
func cross(
	base *hcl.EvalContext, all []*hcl.EvalContext, axis string, values []cty.Value,
) (crossed []*hcl.EvalContext) {
	for _, v := range values {
		for _, one := range all {
			next := base.NewChild()
			next.Variables = map[string]cty.Value{}
			if one != base {
				maps.Copy(next.Variables, one.Variables)
			}
			next.Variables[axis] = v
			crossed = append(crossed, next)
		}
	}
	return crossed
}

func attributes(block *hcl.Block) (hcl.Attributes, error) {
	content, _, problems := block.Body.PartialContent(&hcl.BodySchema{
		Attributes: []hcl.AttributeSchema{{Name: "matrix"}, {Name: "name"}},
	})
	if problems.HasErrors() {
		return nil, problems
	}
	return content.Attributes, nil
}
