package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// makeImages builds the images of mtool with mtool, for all Linux targets under one tag, checks them and saves them.
func (r *release) makeImages(ctx context.Context) error {
	if r.roots == "" {
		return nil
	}
	dir := filepath.Join(r.tmp, "context")
	clients, builders, err := r.context(dir)
	if err != nil {
		return err
	}
	stop, err := r.serveScanner(ctx, dir)
	if err != nil {
		return err
	}
	defer stop()
	for _, image := range []struct {
		stage, suffix string
		platforms     []string
	}{{"client", "", clients}, {"builder", "-builder", builders}} {
		if len(image.platforms) == 0 {
			continue
		}
		tag, platforms := r.number+image.suffix, strings.Join(image.platforms, ",")
		if err := r.image(ctx, dir, image.stage, tag, platforms); err != nil {
			return err
		}
	}
	// What the worker keeps may belong to users that only its own namespace can delete.
	_, err = r.output(ctx, nil, r.mtool, "prune", "--builds")
	return err
}

// image builds, merges, checks and saves an image, and pushes it if a repository is given.
func (r *release) image(ctx context.Context, dir, stage, tag, platforms string) error {
	name, archive := "mtool:"+tag, "mtool-"+tag+"-image.tar"
	proof := []string{"inspect", "--deep", "--no-facts", "--exact", "--require", platforms}
	steps := [][]string{
		{
			"build", "--platform", platforms, "--target", stage, "-t", name,
			"--provenance", "mode=max",
			"--sbom", "generator=" + r.scanner, "--progress", "quiet",
			"--source-date-epoch", fmt.Sprint(r.at.Unix()), "--label", "org.opencontainers.image.version=" + r.number,
			"--label", "org.opencontainers.image.source=" + r.home, "--label",
			"org.opencontainers.image.licenses=Apache-2.0", dir,
		},
		append(proof, name),
		{"save", name, "-o", filepath.Join(r.dist, archive)},
	}
	if r.options.image != "" {
		published := r.options.image + ":" + tag
		steps = append(steps, []string{"push", name, published}, append(proof, published))
	}
	for _, args := range steps {
		fmt.Fprintf(os.Stderr, "$ mtool %s\n", strings.Join(args, " "))
		output, err := r.output(ctx, nil, r.mtool, args...)
		if err != nil {
			return err
		}
		fmt.Fprintln(os.Stderr, output)
	}
	r.names = append(r.names, archive)
	return nil
}

// context writes the build context of the images, and returns the platforms of client and builder.
func (r *release) context(dir string) (clients, builders []string, err error) {
	roots, err := os.ReadFile(r.roots)
	if err != nil {
		return nil, nil, err
	}
	recipe, err := recipes.ReadFile("templates/Dockerfile")
	if err != nil {
		return nil, nil, err
	}
	files := []file{{"Dockerfile", 0o644, recipe}, {"roots.pem", 0o644, roots}, {"tmp/.keep", 0o644, nil}, r.common[0]}
	for _, m := range r.made {
		if m.os != "linux" {
			continue
		}
		clients = append(clients, m.String())
		body, err := os.ReadFile(m.Binary)
		if err != nil {
			return nil, nil, err
		}
		files = append(files, file{m.arch + m.variant + "/mtool", 0o755, body},
			file{m.arch + m.variant + "/THIRD-PARTY-NOTICES.txt", 0o644, m.notices})
		if system, err := os.ReadFile(filepath.Join(r.systems, debianArch(m.target)+"-worker.tar")); err == nil {
			builders = append(builders, m.String())
			files = append(files, file{m.arch + m.variant + "/worker.tar", 0o644, system})
		}
	}
	return clients, builders, lay(dir, files, r.at)
}

// debianArch returns Debian's name of the architecture.
func debianArch(t target) string {
	if debian, ok := map[string]string{
		"arm": "armhf", "386": "i386", "ppc64le": "ppc64el",
		"mips64le": "mips64el",
	}[t.arch]; ok {
		return debian
	}
	return t.arch
}
