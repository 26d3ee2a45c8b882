package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
)

func main() {
	var o options
	var targets string
	flag.StringVar(&o.version, "version", "", "the version, such as v1.0.0")
	flag.StringVar(&targets, "targets", "", `the targets, such as "linux/amd64 linux/arm/v7"; by default all`)
	flag.StringVar(&o.dist, "dist", "dist", "the folder for the files")
	flag.StringVar(&o.url, "url", "", "the address to download the files from")
	flag.StringVar(&o.image, "image", "", "a repository to push the images of mtool to")
	flag.StringVar(&o.roots, "roots", "", "a file of certificates for the images; no images without it")
	flag.StringVar(&o.systems, "systems", "", "a folder of ARCH-worker.tar, Debian's files for images that build")
	flag.BoolVar(&o.packages, "packages", false, "make deb, rpm and apk too, by nfpm")
	scanning := flag.Bool("scan", false, "list what is in an image, for BuildKit")
	flag.Parse()
	var err error
	if *scanning {
		err = scan()
	} else if o.targets, err = parseTargets(targets); err == nil {
		ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
		err = makeRelease(ctx, o)
		stop()
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "release:", err)
		os.Exit(1)
	}
}

type options struct {
	version, dist, url, image, roots, systems string
	packages                                  bool
	targets                                   []target
}

// makeRelease works in a temporary folder, and writes the sums last: without them there is no release.
func makeRelease(ctx context.Context, o options) (err error) {
	if o.dist, err = filepath.Abs(o.dist); err != nil { // programs run in the clone
		return err
	}
	tmp, err := os.MkdirTemp("", "mtool-release.")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(tmp)) }()
	r, err := prepare(ctx, o, tmp)
	if err != nil {
		return err
	}
	for i, t := range o.targets {
		fmt.Fprintf(os.Stderr, "%s: compiling (%d of %d)\n", t, i+1, len(o.targets))
		if err := r.makeTarget(ctx, t); err != nil {
			return fmt.Errorf("making %s: %w", t, err)
		}
	}
	if err := r.writeRecipes(); err != nil {
		return err
	}
	if err := r.makeImages(ctx); err != nil {
		return fmt.Errorf("making the images: %w", err)
	}
	return r.writeSums()
}
