package publish

import (
	"context"
	"errors"
	"sync"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"mtool/inspect"
	"mtool/registry"
	"mtool/registry/remote"
)

// Push is one publishing, from the first look at its targets to the end.
type Push struct {
	Publisher
	early   earlyUploads
	stop    context.CancelFunc
	Targets []registry.Ref
	tags    map[registry.Ref]func() (registry.Manifest, error) // what they are; blocks until the answer is there
	stage   *stage                                             // nil until layers are packed
}

// Start looks up the tags of the targets and gets tokens for writing, without waiting for the answers. The caller
// must Close the Push when done with it.
func (p Publisher) Start(ctx context.Context, targets []registry.Ref) *Push {
	ctx, stop := context.WithCancel(ctx)
	push := &Push{Publisher: p, stop: stop, Targets: targets, tags: map[registry.Ref]func() (registry.Manifest, error){}}
	push.early = newEarly(ctx, push)
	for _, t := range targets {
		if t.Transport == registry.TransportRegistry {
			p.Client.Repository(t, remote.PullPush)
		}
	}
	for _, t := range targets {
		if t.Transport == registry.TransportRegistry && t.Tag != "" {
			ask := sync.OnceValues(func() (registry.Manifest, error) { return p.tag(ctx, t) })
			push.tags[t] = ask
			go ask() //nolint:errcheck // the caller of push.tags gets the error
		}
	}
	return push
}

// Close cancels early uploads that were not used, and removes the layers that were packed here.
func (p *Push) Close() {
	p.stop()
	p.early.end()
	if p.stage != nil {
		_ = p.stage.Close() // else garbage collection of the store does
	}
}

// Seen records what a tag is, if the caller knows.
func (p *Push) Seen(ref registry.Ref, m registry.Manifest) {
	p.tags[ref] = func() (registry.Manifest, error) { return m, nil }
}

// Digests returns the current digests of the targets called name.
func (p *Push) Digests(ctx context.Context, name registry.Ref) ([]v1.Hash, error) {
	var found []v1.Hash
	for _, t := range p.Targets {
		if t.Name() != name.Name() {
			continue
		}
		now, err := p.before(ctx, t)
		if err != nil {
			return nil, err
		}
		if now.Digest != (v1.Hash{}) {
			found = append(found, now.Digest)
		}
	}
	return found, nil
}

// tag returns the manifest of a tag; zero if the tag does not exist.
func (p Publisher) tag(ctx context.Context, ref registry.Ref) (registry.Manifest, error) {
	m, err := p.Client.Repository(ref, remote.PullPush).Tag(ctx, ref.Tag)
	if errors.Is(err, registry.ErrNotFound) {
		err = nil
	}
	return m, err
}

// before returns what a target has before it is written; zero if that is nothing, or unknown.
func (p *Push) before(ctx context.Context, ref registry.Ref) (registry.Manifest, error) {
	if ask, asked := p.tags[ref]; asked {
		return ask()
	}
	if ref.Transport != registry.TransportRegistry || ref.Tag == "" {
		return registry.Manifest{}, nil
	}
	return p.tag(ctx, ref)
}

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
	if o.Ref.Transport != registry.TransportRegistry || !p.Compression.IsZero() {
		return inspect.Read(ctx, o)
	}
	start := func(d v1.Descriptor, m registry.Manifest) {
		if m.IsImage() && (wanted == nil || wanted(d)) {
			p.early.start(o, m)
		}
	}
	start(o.Root.Descriptor(), o.Root)
	return inspect.Reader{OnManifest: start}.Read(ctx, o)
}

// start starts uploading the blobs of an image that was just found in o; it does not wait.
func (e earlyUploads) start(o registry.Object, m registry.Manifest) {
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
