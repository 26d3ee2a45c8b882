package worker

import (
	"fmt"

	"github.com/moby/sys/user"

	"mtool/build/advice"
)

// caller is what the new user namespace depends on.
type caller struct {
	UID, GID         int
	Name             string       // the user's name, for messages
	OwnUIDs, OwnGIDs []user.IDMap // what the caller's own user namespace maps
	SubUIDs, SubGIDs []user.SubID // of this user, from /etc/subuid and /etc/subgid
	Helpers          bool         // newuidmap and newgidmap exist
	NoSetgroups      bool         // the caller's own namespace may not set groups, so none below it may
	NoNewPrivs       bool         // set-user-id programs, such as the helpers, have no effect
}

// mapping is the user namespace of a worker. IDs count from 0 inside.
type mapping struct {
	Kind       string // "root", "subids" or "single"; workers of one kind and one mapping share a state directory
	UIDs, GIDs []user.IDMap
	Setgroups  bool // groups may be set inside
	Helpers    bool // newuidmap and newgidmap must write the maps
}

const oneIDOnly = "builds run with a single user id, so apt-get, chown and USER fail: "

// single reports whether only one id is mapped.
func single(maps []user.IDMap) bool { return len(maps) == 1 && maps[0].Count == 1 }

// planMapping returns the widest mapping that c may have. note says what will not work and why; it may be empty.
func planMapping(c caller) (m mapping, note advice.Note) {
	if c.UID == 0 && (single(c.OwnUIDs) || single(c.OwnGIDs)) {
		return mapping{Kind: "single", UIDs: identity(c.OwnUIDs), GIDs: identity(c.OwnGIDs)},
			advice.Note{Text: oneIDOnly + "this process is itself in a user namespace of one id"}
	}
	if c.UID == 0 {
		return mapping{Kind: "root", UIDs: identity(c.OwnUIDs), GIDs: identity(c.OwnGIDs), Setgroups: !c.NoSetgroups}, note
	}
	if why, next := noSubIDs(c); why != "" {
		return oneID(c), advice.Note{Text: oneIDOnly + why, Advice: next}
	}
	return mapping{
		Kind: "subids", UIDs: withSubIDs(c.UID, c.SubUIDs), GIDs: withSubIDs(c.GID, c.SubGIDs), Setgroups: true,
		Helpers: true,
	}, note
}

// oneID maps only the caller, to root.
func oneID(c caller) mapping {
	return mapping{
		Kind: "single",
		UIDs: []user.IDMap{{ID: 0, ParentID: int64(c.UID), Count: 1}},
		GIDs: []user.IDMap{{ID: 0, ParentID: int64(c.GID), Count: 1}},
	}
}

// noSubIDs returns why c can't map its subordinate ids, and what would help; "" if it can.
func noSubIDs(c caller) (why string, next advice.Advice) {
	switch {
	case len(c.SubUIDs) == 0 || len(c.SubGIDs) == 0:
		return fmt.Sprintf("user %q has no range in /etc/subuid and /etc/subgid", c.Name),
			advice.Of(advice.SubordinateIDs, c.Name)
	case !c.Helpers:
		return "newuidmap and newgidmap are missing", advice.Say("install the package uidmap")
	case c.NoNewPrivs:
		return "this process may not gain privileges (no_new_privs), which newuidmap needs", advice.Advice{}
	}
	return "", advice.Advice{}
}

// allIDs is the size of the initial user namespace's map. BuildKit, containerd and runc take exactly that map for no
// user namespace, so one id less is mapped; the last one, 4294967294, is unused.
const allIDs = 1<<32 - 1

// identity maps each id of the caller's namespace to itself.
func identity(own []user.IDMap) []user.IDMap {
	maps := make([]user.IDMap, 0, len(own))
	for _, m := range own {
		maps = append(maps, user.IDMap{ID: m.ID, ParentID: m.ID, Count: min(m.Count, allIDs-1)})
	}
	return maps
}

// moreIDs returns a line of /etc/subuid that maps the ids up to id for c, with a range that is not taken.
func moreIDs(c caller, taken []user.SubID, id int64) string {
	const first, step = 100_000, 65_536 // as useradd does by default
	have := int64(1 << 62)
	for _, ranges := range [][]user.SubID{c.SubUIDs, c.SubGIDs} {
		n := int64(0)
		for _, r := range ranges {
			n += r.Count
		}
		have = min(have, n)
	}
	start := int64(first)
	for _, r := range taken {
		start = max(start, r.SubID+r.Count)
	}
	return fmt.Sprintf("%s:%d:%d", c.Name, start, (max(id-have, 1)+step-1)/step*step)
}

// withSubIDs maps the caller to root, and its ranges, in order, to the ids from 1 on.
func withSubIDs(id int, ranges []user.SubID) []user.IDMap {
	maps := []user.IDMap{{ID: 0, ParentID: int64(id), Count: 1}}
	next := int64(1)
	for _, r := range ranges {
		maps = append(maps, user.IDMap{ID: next, ParentID: r.SubID, Count: r.Count})
		next += r.Count
	}
	return maps
}
