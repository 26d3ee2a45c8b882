package worker

import (
	"reflect"
	"strings"
	"testing"

	"github.com/moby/sys/user"

	"mtool/build/advice"
)

func TestPlanMapping(t *testing.T) {
	t.Parallel()
	whole := []user.IDMap{{ID: 0, ParentID: 0, Count: 4294967295}}
	subs := []user.SubID{{Name: "anna", SubID: 100000, Count: 65536}, {Name: "anna", SubID: 300000, Count: 10}}
	withSubs := []user.IDMap{
		{ID: 0, ParentID: 1000, Count: 1},
		{ID: 1, ParentID: 100000, Count: 65536},
		{ID: 65537, ParentID: 300000, Count: 10},
	}
	single := []user.IDMap{{ID: 0, ParentID: 1000, Count: 1}}
	anna := caller{
		UID: 1000, GID: 1000, Name: "anna", OwnUIDs: whole, OwnGIDs: whole, SubUIDs: subs, SubGIDs: subs,
		Helpers: true,
	}
	with := func(change func(*caller)) caller { c := anna; change(&c); return c }
	for _, c := range []struct {
		name   string
		caller caller
		want   mapping
		note   string
		kind   advice.Kind
	}{
		{
			// One id less than all: with all of them runc takes the namespace for the initial one.
			name: "root", caller: caller{OwnUIDs: whole, OwnGIDs: whole},
			want: mapping{
				Kind: "root", UIDs: []user.IDMap{{Count: 4294967294}}, GIDs: []user.IDMap{{Count: 4294967294}},
				Setgroups: true,
			},
		},
		{
			name: "root of a container's user namespace",
			caller: caller{
				OwnUIDs: []user.IDMap{{ID: 0, ParentID: 1000, Count: 1}, {ID: 1, ParentID: 100000, Count: 65536}},
				OwnGIDs: whole,
			},
			want: mapping{
				Kind: "root", UIDs: []user.IDMap{{ID: 0, ParentID: 0, Count: 1}, {ID: 1, ParentID: 1, Count: 65536}},
				GIDs: []user.IDMap{{Count: 4294967294}}, Setgroups: true,
			},
		},
		{
			name: "root of a namespace of one id", caller: caller{OwnUIDs: single, OwnGIDs: single, NoSetgroups: true},
			want: mapping{Kind: "single", UIDs: []user.IDMap{{Count: 1}}, GIDs: []user.IDMap{{Count: 1}}},
			note: "user namespace of one id",
		},
		{
			name: "root where groups may not be set", caller: caller{OwnUIDs: whole, OwnGIDs: whole, NoSetgroups: true},
			want: mapping{Kind: "root", UIDs: []user.IDMap{{Count: 4294967294}}, GIDs: []user.IDMap{{Count: 4294967294}}},
		},
		{
			name: "user", caller: anna,
			want: mapping{Kind: "subids", UIDs: withSubs, GIDs: withSubs, Setgroups: true, Helpers: true},
		},
		{
			name: "no range", caller: with(func(c *caller) { c.SubGIDs = nil }),
			want: mapping{Kind: "single", UIDs: single, GIDs: single}, note: `"anna" has no range`,
			kind: advice.SubordinateIDs,
		},
		{
			name: "no helpers", caller: with(func(c *caller) { c.Helpers = false }),
			want: mapping{Kind: "single", UIDs: single, GIDs: single}, note: "newuidmap and newgidmap are missing",
		},
		{
			name: "no new privileges", caller: with(func(c *caller) { c.NoNewPrivs = true }),
			want: mapping{Kind: "single", UIDs: single, GIDs: single}, note: "no_new_privs",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, note := planMapping(c.caller)
			if !reflect.DeepEqual(got, c.want) {
				t.Errorf("got  %+v\nwant %+v", got, c.want)
			}
			if (note.Text == "") != (c.note == "") || !strings.Contains(note.Text, c.note) || note.Kind != c.kind {
				t.Errorf("note %+v, want %q", note, c.note)
			}
		})
	}
}

func TestMoreIDs(t *testing.T) {
	t.Parallel()
	own := []user.SubID{{Name: "u", SubID: 100000, Count: 1000}}
	for _, tt := range []struct {
		c     caller
		taken []user.SubID
		id    int64
		want  string
	}{
		{caller{Name: "u"}, nil, 33, "u:100000:65536"},
		{caller{Name: "u", SubUIDs: own, SubGIDs: own}, own, 65534, "u:101000:65536"},
		{caller{Name: "u", SubUIDs: own, SubGIDs: own}, append(own, user.SubID{SubID: 165536, Count: 65536}), 70000, "u:231072:131072"},
	} {
		if got := moreIDs(tt.c, tt.taken, tt.id); got != tt.want {
			t.Errorf("id %d: got %q, want %q", tt.id, got, tt.want)
		}
	}
}
