package cli

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"mtool/cmd/internal/app"
)

// pruneNames are the flags of prune that are about drafts and images.
type pruneNames struct {
	drafts, images, dryRun bool
	olderThan              string
}

func (p *pruneNames) add(fl *pflag.FlagSet) {
	fl.BoolVar(&p.drafts, "drafts", false, "delete old drafts")
	fl.BoolVar(&p.images, "images", false, "delete old images of the store that no draft is made of")
	fl.StringVar(&p.olderThan, "older-than", "", "the `DURATION` after which names are old: 12h, 30d\n0s is any")
	fl.BoolVar(&p.dryRun, "dry-run", false, "say which drafts and images would go, delete nothing")
}

func (p *pruneNames) selected() bool { return p.drafts || p.images || p.dryRun || p.olderThan != "" }

func (a *application) runPruneNames(ctx context.Context, p pruneNames, builds bool) error {
	const usage = "mtool prune --drafts --images --older-than 30d"
	switch {
	case builds:
		return usagef(usage, "--builds is about the build cache, not about drafts and images")
	case !p.drafts && !p.images:
		return usagef(usage, "neither --drafts nor --images is given")
	case p.olderThan == "":
		return usagef(usage, "--older-than is missing")
	}
	age, err := parseAge("--older-than", p.olderThan)
	if err != nil {
		return err
	}
	env, err := a.env()
	if err != nil {
		return err
	}
	n, err := env.PruneNames(ctx,
		app.PruneNamesOptions{Drafts: p.drafts, Images: p.images, OlderThan: age, DryRun: p.dryRun})
	if !p.dryRun {
		a.note(fmt.Sprintf("removed %d", n))
	}
	return err
}

// parseAge reads what time.ParseDuration reads, and days.
func parseAge(flag, text string) (time.Duration, error) {
	const day = 24 * time.Hour
	if days, ok := strings.CutSuffix(text, "d"); ok {
		n, err := strconv.Atoi(days)
		if err == nil && n >= 0 && n < 100_000 {
			return time.Duration(n) * day, nil
		}
	}
	age, err := time.ParseDuration(text)
	if err != nil || age < 0 {
		return 0, usagef("", "%s %q is not an age; write 12h or 30d", flag, text)
	}
	return age, nil
}
