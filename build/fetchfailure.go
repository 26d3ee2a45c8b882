package build

import (
	"cmp"
	"errors"
	"fmt"
	"strings"

	"mtool/build/advice"
	"mtool/registry"
)

// ofKind adds a kind to err if something could not be fetched.
func ofKind(step string, err error, seen *record) error {
	if !fetches(step) && fetchesLate(err) {
		return fmt.Errorf("%w: fetching a layer of %s: %w", cmp.Or(kindOf(err), registry.ErrUnavailable),
			cmp.Or(strings.Join(seen.images(), " or "), "a cache"), err)
	}
	if kind := kindOfFetch(step, err); kind != nil {
		return fmt.Errorf("%w: %w", kind, err)
	}
	return err
}

// fetchesLate reports whether err is about a layer, which is fetched by the first step, or export, that needs it.
func fetchesLate(err error) bool {
	for _, words := range []string{"failed to copy: ", "short read: expected ", "unexpected commit digest "} {
		if strings.Contains(err.Error(), words) {
			return true
		}
	}
	return false
}

// kindOfFetch returns why a step could not fetch something; nil if it fetches nothing, or failed otherwise.
func kindOfFetch(step string, err error) error {
	if !fetches(step) && !strings.Contains(step, "://") {
		return nil
	}
	kind := kindOf(err)
	if !fetches(step) && strings.Contains(err.Error(), ": not found") {
		return nil // a program of this machine, for one
	}
	if kind == nil && strings.HasPrefix(step, "exporting cache to registry") {
		return registry.ErrRefused // the registry's own text
	}
	return kind
}

// kindOf finds the kind in the messages of Go's network, containerd and BuildKit's HTTP source, since a worker passes
// on text and no code; nil if none matches.
func kindOf(err error) error {
	for _, w := range []struct {
		word string
		kind error
	}{
		{"401 Unauthorized", registry.ErrDenied},
		{"403 Forbidden", registry.ErrDenied},
		{"invalid response status 401", registry.ErrDenied},
		{"invalid response status 403", registry.ErrDenied},
		{"pull access denied", registry.ErrDenied},
		{"insufficient_scope", registry.ErrDenied},
		{"x509: ", registry.ErrDenied},
		{passwordBare, registry.ErrDenied},
		{"nothing moved for ", registry.ErrUnavailable},
		{"connection refused", registry.ErrUnavailable},
		{"connection reset by peer", registry.ErrUnavailable},
		{"no such host", registry.ErrUnavailable},
		{"stopped after 10 redirects", registry.ErrUnavailable},
		{"unexpected EOF", registry.ErrUnavailable},
		{": EOF", registry.ErrUnavailable},
		{"use of closed network connection", registry.ErrUnavailable},
		{"invalid response status 5", registry.ErrUnavailable},
		{": 408 Request Timeout", registry.ErrUnavailable},
		{": 429 Too Many Requests", registry.ErrUnavailable},
		{": 500 Internal Server Error", registry.ErrUnavailable},
		{": 502 Bad Gateway", registry.ErrUnavailable},
		{": 503 Service Unavailable", registry.ErrUnavailable},
		{": 504 Gateway Timeout", registry.ErrUnavailable},
		{"unexpected commit digest", registry.ErrContent},
		{"failed size validation", registry.ErrContent},
		{": not found", registry.ErrNotFound},
		{"invalid response status 404", registry.ErrNotFound},
		{"invalid reference format", registry.ErrName},
	} {
		if strings.Contains(err.Error(), w.word) {
			return w.kind
		}
	}
	return nil
}

// baseError means that a base image can't be fetched from its registry.
type baseError struct {
	name string
	kind error
	err  error // the worker's
	advice.Advice
}

// newBaseError also finds the kind. An unknown message means a registry that did not answer properly.
func newBaseError(name string, err error) error {
	e := &baseError{name: name, kind: cmp.Or(kindOf(err), registry.ErrUnavailable), err: err}
	switch {
	case errors.Is(e.kind, registry.ErrNotFound):
		e.Advice = advice.Say("build the base image for this platform first, or check its name")
	case errors.Is(e.kind, registry.ErrDenied):
		e.Advice = advice.Of(advice.LogIn)
	}
	return e
}

func (e *baseError) Error() string {
	text := e.err.Error()
	if _, after, ok := strings.Cut(text, "failed to resolve source metadata for "+e.name+": "); ok {
		text = after // the rest repeats the name
	}
	return fmt.Sprintf("base image %q is not in the store: %v: %s", e.name, e.kind, text)
}

func (e *baseError) Unwrap() []error { return []error{e.kind, e.err} }
