package publish

import (
	"context"
	"sync"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"mtool/inspect"
	"mtool/registry"
	"mtool/registry/remote"
)

// maxEarly are the blobs that are begun at one time: more would only wait, and a list may have thousands.
const maxEarly = 64

// early begins mounts and uploads while configs are still read, which saves a push a round of requests or two: no bytes are
// sent before everything has been checked. It does so for targets that have nothing of the name yet, since all others most
// likely have the blobs.
type early struct {
	ctx     context.Context // ends with the push, not with what reads
	push    *Push
	running *sync.WaitGroup
	slots   chan struct{}
}

func newEarly(ctx context.Context, push *Push) early {
	return early{ctx: ctx, push: push, running: &sync.WaitGroup{}, slots: make(chan struct{}, maxEarly)}
}

// Read is inspect.Read of a source. Meanwhile the targets begin to take the images in it that are wanted; nil wants all.
func (p *Push) Read(ctx context.Context, o registry.Object, wanted func(v1.Descriptor) bool) (inspect.Report, error) {
	if o.Ref.Transport != registry.TransportRegistry {
		return inspect.Read(ctx, o)
	}
	begin := func(d v1.Descriptor, m registry.Manifest) {
		if m.IsImage() && (wanted == nil || wanted(d)) {
			p.early.begin(o, m)
		}
	}
	begin(o.Root.Descriptor(), o.Root)
	return inspect.Reader{OnManifest: begin}.Read(ctx, o)
}

// begin begins with the blobs of an image that was just found in o; it does not wait.
func (e early) begin(o registry.Object, m registry.Manifest) {
	blobs := blobsOf(m)
	for _, t := range e.push.Targets {
		if t.Transport != registry.TransportRegistry || t.SameRepository(o.Ref) {
			continue
		}
		e.running.Go(func() {
			if now, err := e.push.before(e.ctx, t); err != nil || now.Digest != (v1.Hash{}) {
				return
			}
			for _, d := range blobs {
				e.slots <- struct{}{}
				e.running.Go(func() {
					e.repository(t).BeginBlob(e.ctx, d, o.Source)
					<-e.slots
				})
			}
		})
	}
}

func (e early) repository(t registry.Ref) *remote.Repository {
	return e.push.Client.Repository(t, remote.PullPush)
}

// end gives up what was begun for nothing, after its context has ended.
func (e early) end() {
	e.running.Wait()
	for _, t := range e.push.Targets {
		if t.Transport == registry.TransportRegistry {
			e.repository(t).Abandon(e.ctx)
		}
	}
}

// blobsOf are the config and the layers; none of a manifest that can't be read, which others will complain about.
func blobsOf(m registry.Manifest) []v1.Descriptor {
	refs, err := m.Refs()
	if err != nil || refs.Config == nil || refs.Config.Digest == (v1.Hash{}) {
		return nil
	}
	return refs.Blobs()
}
