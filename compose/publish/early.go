package publish

import (
	"context"
	"sync"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"mtool/inspect"
	"mtool/registry"
	"mtool/registry/remote"
)

// maxEarly limits the blobs that are started at one time: more would only wait, and a list may have thousands.
const maxEarly = 64

// earlyUploads starts mounts and uploads while configs are still read. That saves a push one or two rounds of
// requests; no bytes are sent before everything has been checked. Only targets without such a name take part: the
// others most likely have the blobs already.
type earlyUploads struct {
	ctx     context.Context // ends with the push, not with the reader
	push    *Push
	running *sync.WaitGroup
	slots   chan struct{}
}

func newEarly(ctx context.Context, push *Push) earlyUploads {
	return earlyUploads{ctx: ctx, push: push, running: &sync.WaitGroup{}, slots: make(chan struct{}, maxEarly)}
}

// Read is inspect.Read of a source. Meanwhile it starts to upload the wanted images in it to the targets; nil wants
// all.
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

// begin starts uploading the blobs of an image that was just found in o; it does not wait.
func (e earlyUploads) begin(o registry.Object, m registry.Manifest) {
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

func (e earlyUploads) repository(t registry.Ref) *remote.Repository {
	return e.push.Client.Repository(t, remote.PullPush)
}

// end cancels uploads that were not used, after its context has ended.
func (e earlyUploads) end() {
	e.running.Wait()
	for _, t := range e.push.Targets {
		if t.Transport == registry.TransportRegistry {
			e.repository(t).Abandon(e.ctx)
		}
	}
}

// blobsOf returns the config and the layers; none for an unreadable manifest, which is reported elsewhere.
func blobsOf(m registry.Manifest) []v1.Descriptor {
	refs, err := m.Refs()
	if err != nil || refs.Config == nil || refs.Config.Digest == (v1.Hash{}) {
		return nil
	}
	return refs.Blobs()
}
