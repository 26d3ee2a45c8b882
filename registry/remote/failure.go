package remote

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
	"syscall"
	"time"

	"mtool/registry"
)

// Reason is why an Error happened, if settings of the client can fix it.
type Reason int

// The reasons. Error.Peer is the host that each is about.
const (
	NoReason   Reason = iota
	Untrusted         // its certificate is not trusted: HostSettings.CAFiles, Options.SkipVerify
	PlainHTTP         // it speaks HTTP where HTTPS was expected: Options.PlainHTTP
	SpeaksTLS         // it speaks HTTPS where Options.PlainHTTP says HTTP
	WrongLogin        // it refused the credentials: Options.Credentials
	NoLogin           // it requires credentials, and there are none
	Standstill        // nothing or too little moved: Options.Idle, Options.MinRate
)

// Error is a request that did not succeed. It wraps a kind of package registry (none when the context was done) and may
// have a Hint.
type Error struct {
	Doing   string       // "reading manifest"
	Ref     registry.Ref // what was asked for, expanded
	Host    string       // the host on the network: "registry-1.docker.io"
	Status  int          // HTTP status; 0 when there was no answer
	Code    string       // the registry's own, such as MANIFEST_UNKNOWN; "" when it gave none
	Message string       // the registry's own text, or what failed
	Kind    error
	Err     error // the cause, where it is not the answer itself
	Reason  Reason
	Peer    string // the host that Reason is about, as in a reference or a token server's address

	hint       string
	who        string        // which credentials were refused, and where they came from
	attempts   int           // how many were made, if more than one
	again      bool          // worth another attempt
	refused    bool          // worth only one more: nothing listens on this machine
	unresolved bool          // Host has no address, as Message says
	over       bool          // unless the wait for the host was long enough
	after      time.Duration // the wait that the registry requested
	until      time.Time     // when that wait ends, if it is longer than the command may still wait; else zero
	waited     time.Duration // by all requests before this one was given up; 0 if it was not
}

func (e *Error) Error() string {
	why := e.Why()
	if e.elsewhere() {
		return fmt.Sprintf("%s %q %s", e.Doing, e.Ref, why)
	}
	return fmt.Sprintf("%s %q: %s", e.Doing, e.Ref, why)
}

// elsewhere reports whether Why begins with a host: that of the reference needs no second mention.
func (e *Error) elsewhere() bool { return !e.unresolved && e.Host != e.Ref.Host }

// Why returns what went wrong, for callers whose own words name what was asked for.
func (e *Error) Why() string {
	if e.unresolved {
		return e.Message
	}
	var parts []string
	if e.elsewhere() {
		parts = append(parts, "at "+e.Host)
	}
	if e.Kind != nil {
		parts = append(parts, e.Kind.Error())
	}
	why := strings.Join(append(parts, e.answered()...), ": ")
	if e.who != "" {
		why += " (" + e.who + ")"
	}
	switch {
	case !e.until.IsZero():
		why += fmt.Sprintf(" (it asks to wait %s, until %s)", e.after, e.until.Format("2006-01-02 15:04:05 MST"))
	case e.waited > 0:
		why += fmt.Sprintf(" (given up after attempt %d: all requests together have waited for %s)", e.attempts, e.waited)
	case e.attempts > 1:
		why += fmt.Sprintf(" (after %d attempts)", e.attempts)
	}
	return why
}

// answered returns the status and the registry's own words, unless these only repeat it.
func (e *Error) answered() (texts []string) {
	if e.Status == http.StatusNotFound && (e.Code == "MANIFEST_UNKNOWN" || e.Code == "NAME_UNKNOWN") {
		return []string{fmt.Sprintf("HTTP %d %s", e.Status, e.Code)}
	}
	message := e.Message
	if strings.EqualFold(strings.ReplaceAll(http.StatusText(e.Status), " ", "_"), e.Code) {
		message = strings.TrimPrefix(message, e.Code+": ")
	}
	if e.Kind != nil {
		message = strings.TrimPrefix(message, e.Kind.Error()+": ")
	}
	for _, text := range []string{e.status(), message} {
		if text != "" {
			texts = append(texts, text)
		}
	}
	return texts
}

func (e *Error) status() string {
	if e.Status == 0 {
		return ""
	}
	return strings.TrimSpace(fmt.Sprintf("HTTP %d %s", e.Status, http.StatusText(e.Status)))
}

func (e *Error) Unwrap() []error {
	var errs []error
	for _, err := range []error{e.Kind, e.Err} {
		if err != nil {
			errs = append(errs, err)
		}
	}
	return errs
}

// Hint returns the user's next action; "" if there is none.
func (e *Error) Hint() string { return e.hint }

// last marks e as the end of that many attempts, also for callers that retry on their own.
func (e *Error) last(attempts int) *Error {
	e.attempts, e.again = attempts, false
	return e
}

// most returns how many attempts e is worth, up to limit: two if nothing listens on this machine.
func (e *Error) most(limit int) int {
	switch {
	case e.over:
		return 1
	case e.refused:
		return min(limit, 2)
	}
	return limit
}

// interrupted turns e into the end of ctx, which is not a failure of the registry.
func (e *Error) interrupted(ctx context.Context) *Error {
	return &Error{Doing: e.Doing, Ref: e.Ref, Host: e.Host, Message: context.Cause(ctx).Error(), Err: context.Cause(ctx)}
}

// broke explains why there was no answer, or only part of one. Another attempt is worth it unless the reason will stay.
func (e *Error) broke(ctx context.Context, host string, err error) *Error {
	if ctx.Err() != nil {
		return e.interrupted(ctx)
	}
	// The text of a url.Error has the address, whose query may be a signature that opens the storage.
	if located, ok := errors.AsType[*url.Error](err); ok {
		err = located.Err
	}
	e.Kind, e.Err, e.Message, e.again = registry.ErrUnavailable, err, registry.OneLine(err.Error()), true
	var untrusted *tls.CertificateVerificationError
	var lookup *net.DNSError
	var ownFile trustError
	var idle idleError
	switch {
	case errors.As(err, &idle):
		e.Reason, e.Peer = Standstill, host
	case errors.As(err, &ownFile):
		e.Kind, e.again = registry.ErrDenied, false
	case errors.As(err, &untrusted):
		e.Kind, e.again, e.Message = registry.ErrDenied, false, "certificate not trusted: "+certificate(untrusted)
		e.Reason, e.Peer = Untrusted, host
	case errors.Is(err, http.ErrSchemeMismatch):
		e.again, e.Message = false, "it speaks plain HTTP where HTTPS was expected"
		e.Reason, e.Peer = PlainHTTP, host
	case errors.Is(err, errSpeaksTLS):
		e.again, e.Reason, e.Peer = false, SpeaksTLS, host
	case errors.Is(err, syscall.ECONNREFUSED) && IsLoopback(host):
		e.refused, e.Message, e.hint = true, "connection refused", "is a registry running there?"
	case errors.Is(err, syscall.ECONNREFUSED):
		e.Message = "connection refused"
	case errors.As(err, &lookup) && lookup.IsNotFound:
		e.again, e.unresolved, e.Message = false, true, fmt.Sprintf("cannot resolve %q (offline? proxy?)", lookup.Name)
	}
	return e
}

// certificate describes what is wrong with a certificate, and its issuer.
func certificate(err *tls.CertificateVerificationError) string {
	text := registry.OneLine(err.Err.Error())
	if len(err.UnverifiedCertificates) > 0 {
		text += fmt.Sprintf(" (issued by %q)", registry.OneLine(err.UnverifiedCertificates[0].Issuer.String()))
	}
	return text
}

// errSpeaksTLS means that plain HTTP was sent to a port that speaks TLS.
var errSpeaksTLS = errors.New("it speaks HTTPS where plain HTTP was expected")
