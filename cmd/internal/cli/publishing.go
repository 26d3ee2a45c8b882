package cli

import (
	"errors"
	"fmt"
	"os"

	"github.com/spf13/pflag"

	"mtool/cmd/internal/app"
	"mtool/cmd/internal/print"
	"mtool/compose/publish"
)

const referrersHelp = "copy signatures, SBOMs and other artifacts too\nwhat refers to the images: OCI referrers, their fallback tags, cosign's tags"

const confirmHelp = "read back what was written\nthe children before the tag is written, and the tag after"

// publishFlags are what every command has that can publish.
type publishFlags struct {
	app.PublishOptions
	metadataFile, digestFile string
	githubOutput             bool
}

func (f *publishFlags) add(fl *pflag.FlagSet) {
	f.addEdit(fl)
	addDeep(fl, &f.DeepOptions)
	fl.BoolVar(&f.NoClobber, "no-clobber", false, "fail if a tag exists and is something else\nexit code 7")
	fl.BoolVar(&f.ByDigest, "push-by-digest", false, "write no tag: clients pull by digest")
	fl.StringVar(&f.KeepChildTags, "keep-child-tags", "",
		"tag each image too, by this `TEMPLATE`\nof TAG, OS, ARCH and VARIANT ('TAG-ARCHVARIANT'), for registries that delete what has no tag")
}

// addEdit adds what also makes sense where the tag is known to be there.
func (f *publishFlags) addEdit(fl *pflag.FlagSet) {
	fl.BoolVar(&f.DryRun, "dry-run", false,
		"show the plan and the bytes, and write nothing\nthe digest goes to standard output")
	fl.BoolVar(&f.Confirm, "confirm", false, confirmHelp)
	fl.StringVar(&f.metadataFile, "metadata-file", "", "write what was made into this `FILE`, as JSON")
	fl.StringVar(&f.digestFile, "digest-file", "", "write the digest into this `FILE`")
	fl.BoolVar(&f.githubOutput, "github-output", false, githubOutputHelp)
}

// done runs a function of package app and shows what it made, also with an error: some of several targets may be done.
func (a *application) done(f publishFlags, run func(*app.Env) (publish.Done, error)) error {
	if err := checkDeep(f.DeepOptions, "add --deep"); err != nil {
		return err
	}
	if err := checkGitHubOutput(f.githubOutput); err != nil {
		return err
	}
	env, err := a.env()
	if err != nil {
		return err
	}
	done, err := run(env)
	if !a.quiet {
		print.Plan(a.Err, done)
		print.Targets(a.Err, done)
	}
	print.Made(a.Out, done.Made...)
	if len(done.Made) == 0 {
		return err
	}
	return errors.Join(err, f.writeFiles(done))
}

func (f publishFlags) writeFiles(done publish.Done) error {
	write := func(flag, path string, content []byte) error {
		if path == "" {
			return nil
		}
		if err := os.WriteFile(path, content, 0o666); err != nil {
			return fmt.Errorf("writing %s: %w", flag, err)
		}
		return nil
	}
	var outputs error
	if f.githubOutput {
		outputs = addGitHubOutput(print.Outputs(done))
	}
	return errors.Join(
		outputs,
		write("--digest-file", f.digestFile, []byte(done.Made[0].Digest.String())),
		write("--metadata-file", f.metadataFile, print.Metadata(done)),
	)
}
