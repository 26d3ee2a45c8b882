package app

import (
	"context"
	"encoding/json"
	"sync"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"mtool/compose"
	"mtool/inspect"
	"mtool/registry"
	"mtool/registry/remote"
)

// ahead begins mounts and uploads while configs are still read, which saves a push a round of requests or two: no bytes are
// sent before everything has been checked. It does so for targets that have nothing of the name yet, since all others most
// likely have the blobs. A nil ahead begins nothing.
type ahead struct {
	targets []target
	client  *remote.Client
	wants   func(v1.Descriptor) bool // nil: all manifests

	under sync.WaitGroup
	slots chan struct{} // blobs at one time: more would only wait, and a list may have thousands
}

// ahead is nil for a dry run.
func (e *Env) ahead(targets []target, dryRun bool) *ahead {
	if dryRun {
		return nil
	}
	return &ahead{targets: targets, client: e.Client, slots: make(chan struct{}, 64)}
}

// want leaves the manifests out that are read and not published.
func (a *ahead) want(these func(v1.Descriptor) bool) {
	if a != nil {
		a.wants = these
	}
}

// isImage tells images from what is attested of them.
func isImage(d v1.Descriptor) bool {
	_, attestation := inspect.AttestationOf(d)
	return !attestation
}

// digestsOf are what a draft has of its sources.
func digestsOf(list compose.List) func(v1.Descriptor) bool {
	has := map[v1.Hash]bool{}
	for _, e := range list.Entries {
		has[e.Digest()], has[e.Original] = true, true
		for _, a := range e.Attestations {
			has[a.Digest()] = true
		}
	}
	return func(d v1.Descriptor) bool { return has[d.Digest] }
}

// read is inspect.Read, which does not know that the manifests it reads are mounted meanwhile.
func (a *ahead) read(ctx context.Context, o registry.Object) (inspect.Report, error) {
	if a == nil || o.Ref.Transport != registry.TransportRegistry {
		return inspect.Read(ctx, o)
	}
	a.begin(ctx, o, o.Root.Descriptor(), o.Root)
	if !o.Root.IsList() {
		return inspect.Read(ctx, o)
	}
	told := o
	told.Source = telling{Source: o.Source, tell: func(d v1.Descriptor, m registry.Manifest) { a.begin(ctx, o, d, m) }}
	report, err := inspect.Read(ctx, told)
	return from(report, o.Source), err
}

// telling is a source that tells of every manifest that is read from it.
type telling struct {
	registry.Source
	tell func(v1.Descriptor, registry.Manifest)
}

// Manifest implements registry.Source.
func (s telling) Manifest(ctx context.Context, d v1.Descriptor) (registry.Manifest, error) {
	m, err := s.Source.Manifest(ctx, d)
	if err == nil {
		s.tell(d, m)
	}
	return m, err
}

// from puts the source itself into the report again: a registry mounts from what it knows as one of its repositories.
func from(r inspect.Report, source registry.Source) inspect.Report {
	for i := range r.Images {
		r.Images[i].Source = source
		for j := range r.Images[i].Attestations {
			r.Images[i].Attestations[j].Source = source
		}
		for j := range r.Images[i].Artifacts {
			r.Images[i].Artifacts[j].Source = source
		}
	}
	for i := range r.Others {
		r.Others[i].Source = source
	}
	return r
}

// begin begins with the blobs of a manifest that was just found in o; it does not wait.
func (a *ahead) begin(ctx context.Context, o registry.Object, d v1.Descriptor, m registry.Manifest) {
	if !m.IsImage() || a.wants != nil && !a.wants(d) {
		return
	}
	for _, t := range a.targets {
		if t.ref.Transport != registry.TransportRegistry || t.ref.Host == o.Ref.Host && t.ref.Repo == o.Ref.Repo {
			continue
		}
		a.under.Go(func() {
			if before, err := t.before(); err != nil || before.Digest != (v1.Hash{}) {
				return
			}
			for _, d := range blobsOf(m) {
				a.slots <- struct{}{}
				a.under.Go(func() {
					a.repository(t).BeginBlob(ctx, d, o.Source)
					<-a.slots
				})
			}
		})
	}
}

func (a *ahead) repository(t target) *remote.Repository {
	return a.client.Repository(t.ref, remote.PullPush)
}

// end gives up what was begun for nothing, after stop, which ends the context of all that is under way.
func (a *ahead) end(ctx context.Context, stop context.CancelFunc) {
	stop()
	if a == nil {
		return
	}
	a.under.Wait()
	for _, t := range a.targets {
		if t.ref.Transport == registry.TransportRegistry {
			a.repository(t).Abandon(ctx)
		}
	}
}

// blobsOf are the config and the layers; none of a manifest that can't be read, which others will complain about.
func blobsOf(m registry.Manifest) []v1.Descriptor {
	var body struct {
		Config v1.Descriptor   `json:"config"`
		Layers []v1.Descriptor `json:"layers"`
	}
	if json.Unmarshal(m.Body, &body) != nil || body.Config.Digest == (v1.Hash{}) {
		return nil
	}
	return append([]v1.Descriptor{body.Config}, body.Layers...)
}
