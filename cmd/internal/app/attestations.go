package app

import (
	"context"
	"fmt"

	"mtool/compose"
	"mtool/inspect"
	"mtool/registry"
)

// attestationsAsReferrers is the value of --attestations that takes them out of the list and makes them referrers of their images.
const attestationsAsReferrers = "referrers"

// asReferrers takes the attestations out of the entries and makes referrers of them, which are brought to every target.
func (e *Env) asReferrers(ctx context.Context, entries []compose.Entry) ([]compose.Entry, entourage, error) {
	g := entourage{env: e}
	out := make([]compose.Entry, len(entries))
	for i, entry := range entries {
		var stay []compose.Entry // artifacts, which need their row
		for _, a := range entry.Attestations {
			if _, is := inspect.AttestationOf(a.Descriptor); !is {
				stay = append(stay, a)
				continue
			}
			c, err := referrer(ctx, entry, a)
			if err != nil {
				return nil, g, err
			}
			g.all = append(g.all, c)
		}
		entry.Attestations = stay
		out[i] = entry
	}
	e.note("%d attestations become referrers of their images", len(g.all))
	return out, g, nil
}

func referrer(ctx context.Context, entry, a compose.Entry) (companion, error) {
	if a.Attached == nil {
		return companion{}, fmt.Errorf("reading attestation %s: %w", a.Digest(), registry.ErrNotFound)
	}
	m, err := compose.AsReferrer(a.Attached.Manifest, entry.Descriptor)
	if err != nil {
		return companion{}, err
	}
	from := a.Source
	if !from.IsFile() && a.Origin != "" {
		from = from.At(a.Origin)
	}
	// What the source can't have any more, the copy is made from: its root is new, its blobs are not.
	object := registry.Object{Ref: from, Root: m, Source: a.Attached.Source}
	report, err := inspect.Read(ctx, object)
	return companion{subject: entry.Digest(), report: report}, err
}

// publishesReferrers refuses to make referrers where nothing is published.
func (o CreateOptions) publishesReferrers(targets []target) error {
	if o.Attestations != attestationsAsReferrers || len(targets) > 0 {
		return nil
	}
	return registry.WithHint(
		registry.Usagef("making the draft %q: referrers are made where the list is published", o.List), "add --push",
	)
}
