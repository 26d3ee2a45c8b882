package deep

import (
	"cmp"
	"context"
	"errors"

	"golang.org/x/sync/errgroup"

	"mtool/inspect/rootfs"
)

// tables has the layers that are read by their tables of contents.
type tables struct {
	opener   *rootfs.Tables
	opened   map[layerKey]*rootfs.Table
	spent    int64 // bytes read by tables that were given up
	unusable map[layerKey]bool
}

func newTables(o Options) tables {
	return tables{
		opener: rootfs.NewTables(rootfs.Options{Examiner: examiner, Limits: o.Limits}),
		opened: map[layerKey]*rootfs.Table{}, unusable: map[layerKey]bool{},
	}
}

// worthTable is the smallest layer that is read by its table. Smaller ones arrive as fast as their tables, and are
// verified.
const worthTable = 1 << 20

func (t *tables) read() int64 {
	n := t.spent
	for _, table := range t.opened {
		n += table.Read()
	}
	return n
}

// byTable reads the tables of contents of the layers that have one, and returns the others. If a table is broken, its
// layer is read as a stream.
func (r *reader) byTable(ctx context.Context, layers []rootfs.LayerSource) (rest []rootfs.LayerSource, err error) {
	if !r.options.early() {
		return layers, nil
	}
	todo := map[layerKey]rootfs.LayerSource{}
	for _, l := range layers {
		if r.hasTable(l) {
			todo[keyOf(l)] = l
		} else {
			rest = append(rest, l)
		}
	}
	const atOnce = 4
	var g errgroup.Group
	g.SetLimit(atOnce)
	type opened struct {
		key   layerKey
		table *rootfs.Table
	}
	results := make(chan opened, len(todo))
	for key, l := range todo {
		g.Go(func() error {
			table, err := r.tables.opener.Open(ctx, l.Source.(rootfs.Ranges), l.Descriptor) //nolint:forcetypeassert // hasTable has looked
			if err != nil {
				table = nil
			}
			results <- opened{key, table}
			return nil
		})
	}
	_ = g.Wait() // failures are results
	close(results)
	for o := range results {
		if o.table == nil {
			r.tables.unusable[o.key] = true
			rest = append(rest, todo[o.key])
			continue
		}
		r.tables.opened[o.key] = o.table
		r.scanned[o.key] = rootfs.Scanned{Facts: o.table.Facts()}
		r.count(todo[o.key], r.scanned[o.key])
	}
	return rest, ctx.Err()
}

func (r *reader) hasTable(l rootfs.LayerSource) bool {
	if l.Descriptor.Size < worthTable || rootfs.TableDigest(l.Descriptor) == "" || r.tables.unusable[keyOf(l)] {
		return false
	}
	if _, ok := r.known(l.Descriptor.Digest); ok {
		return false
	}
	_, ok := l.Source.(rootfs.Ranges)
	return ok
}

// examine reads the files that an image starts from layers with tables, one after the other: each file determines the
// next.
func (r *reader) examine(ctx context.Context, s subject) error {
	for r.onlyStarted(s) {
		facts, _ := r.factsOf(s)
		trees, err := rootfs.Readings(facts)
		if err != nil {
			return nil //nolint:nilerr // judge reports it
		}
		var next rootfs.Entry
		for _, tree := range trees {
			steps, err := s.steps(tree)
			if err != nil {
				return nil //nolint:nilerr // as above
			}
			next = cmp.Or(firstUnread(steps), next)
		}
		if next.Type == "" {
			return nil
		}
		layer, path := next.Listed()
		if err := r.examineFile(ctx, s.layer(layer), path); err != nil {
			return err
		}
	}
	return nil
}

// firstUnread returns the first file that is known from a table only.
func firstUnread(steps []rootfs.Step) rootfs.Entry {
	for _, step := range steps {
		if !step.Guess && step.Found.Type == rootfs.Unread && errors.Is(step.Err, rootfs.ErrUnread) {
			return step.Found.Entry
		}
	}
	return rootfs.Entry{}
}

// examineFile reads a file of a layer by its table or, if that fails, the whole layer.
func (r *reader) examineFile(ctx context.Context, l rootfs.LayerSource, path string) error {
	key := keyOf(l)
	table := r.tables.opened[key]
	if err := table.Examine(ctx, path); err != nil {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		r.tables.spent += table.Read()
		delete(r.tables.opened, key)
		delete(r.scanned, key)
		r.tables.unusable[key], r.round.done = true, nil
		return r.scan(ctx, []rootfs.LayerSource{l})
	}
	r.scanned[key] = rootfs.Scanned{Facts: table.Facts()}
	return nil
}
