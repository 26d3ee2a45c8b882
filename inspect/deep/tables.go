package deep

import (
	"cmp"
	"context"
	"errors"

	"golang.org/x/sync/errgroup"

	"mtool/inspect/rootfs"
)

// tables are the layers that are read by their tables of contents.
type tables struct {
	shelf *rootfs.Tables
	open  map[layerKey]*rootfs.Table
	spent int64 // read of tables that were given up
	no    map[layerKey]bool
}

func newTables(o Options) tables {
	return tables{
		shelf: rootfs.NewTables(rootfs.Options{Examiner: examiner, Limits: o.Limits}),
		open:  map[layerKey]*rootfs.Table{}, no: map[layerKey]bool{},
	}
}

// worthTable is the size from which on a layer is read by its table: what is smaller has come as fast as a table would,
// and is verified.
const worthTable = 1 << 20

func (t *tables) read() int64 {
	n := t.spent
	for _, table := range t.open {
		n += table.Read()
	}
	return n
}

// byTable reads the tables of contents of those layers that have one, and returns the others. Whatever is wrong with a
// table, its layer is read as a stream then.
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
			table, err := r.tables.shelf.Open(ctx, l.Source.(rootfs.Ranges), l.Descriptor) //nolint:forcetypeassert // hasTable has looked
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
			r.tables.no[o.key] = true
			rest = append(rest, todo[o.key])
			continue
		}
		r.tables.open[o.key] = o.table
		r.have[o.key] = rootfs.Scanned{Facts: o.table.Facts()}
		r.count(todo[o.key], r.have[o.key])
	}
	return rest, ctx.Err()
}

func (r *reader) hasTable(l rootfs.LayerSource) bool {
	if l.Descriptor.Size < worthTable || rootfs.TableDigest(l.Descriptor) == "" || r.tables.no[keyOf(l)] {
		return false
	}
	if _, ok := r.known(l.Descriptor.Digest); ok {
		return false
	}
	_, ok := l.Source.(rootfs.Ranges)
	return ok
}

// examine reads the files of tables that an image starts, one after the other: what the first is tells which the next
// is.
func (r *reader) examine(ctx context.Context, s subject) error {
	for r.narrow(s) {
		facts, _ := r.layers(s)
		trees, err := rootfs.Readings(facts)
		if err != nil {
			return nil //nolint:nilerr // it is judged with the rest
		}
		var next rootfs.Entry
		for _, tree := range trees {
			steps, err := s.steps(tree)
			if err != nil {
				return nil //nolint:nilerr // as above
			}
			next = cmp.Or(unread(steps), next)
		}
		if next.Type == "" {
			return nil
		}
		layer, path := next.Listed()
		if err := r.open(ctx, s.layer(layer), path); err != nil {
			return err
		}
	}
	return nil
}

// unread is the first file that only a table lists.
func unread(steps []rootfs.Step) rootfs.Entry {
	for _, step := range steps {
		if !step.Guess && step.Found.Type == rootfs.Unread && errors.Is(step.Err, rootfs.ErrUnread) {
			return step.Found.Entry
		}
	}
	return rootfs.Entry{}
}

// open reads a file of a layer, or the whole layer, where that fails.
func (r *reader) open(ctx context.Context, l rootfs.LayerSource, path string) error {
	key := keyOf(l)
	table := r.tables.open[key]
	if err := table.Examine(ctx, path); err != nil {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		r.tables.spent += table.Read()
		delete(r.tables.open, key)
		delete(r.have, key)
		r.tables.no[key], r.round.done = true, nil
		return r.scan(ctx, []rootfs.LayerSource{l})
	}
	r.have[key] = rootfs.Scanned{Facts: table.Facts()}
	return nil
}
