// Package bake reads the files of docker buildx bake: targets with their build options, groups of them, variables,
// functions and matrices, in HCL or JSON. It is what turns such files into targets whose inheritance, overrides and
// dependencies are resolved; it builds nothing.
//
//	files, err := bake.Open(ctx, nil, os.Stdin)
//	plan, err := bake.Read(files, bake.Options{Targets: []string{"app"}})
//
// buildx's own parser evaluates HCL. The rest of buildx's package bake is not used: it links a Docker client, a policy
// engine and compiled schemas.
package bake
