package podman

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"mtool/cmd/internal/app"
	"mtool/compose"
	"mtool/registry"
)

// Lists are the drafts of an environment.
type Lists struct{ *app.Env }

// parseName reads the name of a list. What names no registry is podman's localhost.
func parseName(typed string) (registry.Ref, error) {
	ref, err := registry.ParseRef(typed)
	if err != nil {
		return ref, err
	}
	if ref.Transport != registry.TransportRegistry || ref.Digest != (v1.Hash{}) {
		return ref, registry.Usagef("%q can't name a list: want a name such as demo:v1", typed)
	}
	if ref.Bare && ref.Host == "docker.io" {
		return registry.ParseRef("localhost/" + typed)
	}
	return ref, nil
}

// idOf returns the ID of a list, which stays the same for as long as the list has its name.
func idOf(name registry.Ref) string {
	sum := sha256.Sum256([]byte("list " + name.Name()))
	return hex.EncodeToString(sum[:])
}

// find returns the draft of a name or an ID, which may be cut short.
func (l Lists) find(ctx context.Context, typed string) (compose.List, error) {
	for _, parse := range []func(string) (registry.Ref, error){parseName, registry.ParseRef} {
		ref, err := parse(typed)
		if err != nil || !ref.MayBeDraft() {
			continue // an ID is not a name
		}
		list, err := l.Drafts.Load(ctx, ref)
		if !errors.Is(err, registry.ErrNotFound) {
			return list, err
		}
	}
	if list, err := l.byID(ctx, typed); err != nil || list.Name != (registry.Ref{}) {
		return list, err
	}
	if _, err := parseName(typed); err != nil && !isHex(typed) {
		return compose.List{}, err
	}
	return compose.List{}, registry.WithHint(
		fmt.Errorf("%s: %w: there is no list of this name", typed, registry.ErrNotFound),
		"mtool podman-manifest create "+typed+" makes it")
}

func (l Lists) byID(ctx context.Context, typed string) (found compose.List, err error) {
	if !isHex(typed) {
		return found, nil
	}
	drafts, err := l.Drafts.List(ctx)
	for _, d := range drafts {
		if d.Err != nil || !strings.HasPrefix(idOf(d.Ref), typed) {
			continue
		}
		if found.Name != (registry.Ref{}) {
			return compose.List{}, registry.Usagef("%s: several lists have an ID that begins so", typed)
		}
		found = d.List
	}
	return found, err
}

// isHex reports whether s can be an ID or the beginning of one.
func isHex(s string) bool {
	return len(s) >= 3 && len(s) <= 64 && strings.Trim(s, "0123456789abcdef") == ""
}

// note passes a remark to the user.
func (l Lists) note(format string, args ...any) { l.Transport.Note(fmt.Sprintf(format, args...)) }
