package bake

import (
	"fmt"
	"slices"

	"github.com/docker/buildx/bake/hclparser/gohcl"
	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
)

// checkKnown refuses keys and blocks that are not known, which the parser leaves out.
func checkKnown(file *hcl.File) hcl.Diagnostics {
	var problems hcl.Diagnostics
	if body, ok := file.Body.(*hclsyntax.Body); ok {
		for _, b := range body.Blocks {
			if !slices.Contains([]string{"target", "group", "variable", "function"}, b.Type) {
				problems = append(problems, &hcl.Diagnostic{
					Severity: hcl.DiagError, Summary: "Unsupported block", Subject: b.TypeRange.Ptr(),
					Detail: fmt.Sprintf("%q is none of target, group, variable, function", b.Type),
				})
			}
		}
	}
	target, _ := gohcl.ImpliedBodySchema(Target{})
	target.Attributes = append(target.Attributes, hcl.AttributeSchema{Name: "matrix"}, hcl.AttributeSchema{Name: "name"})
	group, _ := gohcl.ImpliedBodySchema(Group{})
	for kind, schema := range map[string]*hcl.BodySchema{"target": target, "group": group} {
		content, _, wrong := file.Body.PartialContent(&hcl.BodySchema{
			Blocks: []hcl.BlockHeaderSchema{{Type: kind, LabelNames: []string{"name"}}},
		})
		problems = append(problems, wrong...)
		for _, b := range content.Blocks {
			_, wrong := b.Body.Content(schema)
			problems = append(problems, wrong...)
		}
	}
	return problems
}
