package build

import (
	"fmt"
	"strings"

	"mtool/registry"
)

// silentError is a worker that does not answer, or not as one.
type silentError struct {
	addr string
	err  error
	kind error
	why  string // in our words; may be empty
	next string
}

// reason is what a word of gRPC or of Go's TLS means.
type reason struct {
	why, next string
	kind      error
}

// closedAtOnce is what a connection that is closed at once means. With TLS 1.3 a server refuses the client's certificate after
// the handshake, and its alert may be lost on the way.
func closedAtOnce(addr string, tls bool) reason {
	if scheme, _, ok := strings.Cut(addr, "://"); ok && scheme != "tcp" && scheme != "unix" {
		return reason{"the program that reaches it ended at once", reachedBy, registry.ErrUnavailable}
	}
	const files = "--worker-ca FILE --worker-cert FILE --worker-key FILE for a worker with TLS"
	if tls {
		return reason{"it hung up, as one does that refuses the client certificate", files, registry.ErrDenied}
	}
	return reason{"it hung up at once: it wants TLS, or is not BuildKit", files, registry.ErrUnavailable}
}

// newSilent tells what is wrong by the words of gRPC and of Go's TLS: they carry no type over. tls: it was spoken.
func newSilent(addr string, tls bool, err error) error {
	closed := closedAtOnce(addr, tls)
	e := &silentError{addr: addr, err: err, kind: registry.ErrUnavailable, next: "is buildkitd running there? without --worker mtool starts a worker itself"}
	for _, w := range []struct {
		word, why, next string
		kind            error
	}{
		{"x509: ", "its certificate is not trusted", "name who signed it: --worker-ca FILE; or the name in it: --worker-server-name NAME", registry.ErrDenied},
		{"tls: certificate required", "it wants a client certificate", "--worker-cert FILE --worker-key FILE", registry.ErrDenied},
		{"remote error: tls: ", "it refused the client certificate", "use a certificate that the worker's --tlscacert has signed: --worker-cert FILE --worker-key FILE", registry.ErrDenied},
		{"first record does not look like a TLS handshake", "it speaks no TLS", "leave --worker-ca, --worker-cert and --worker-key out", ErrNoWorker},
		{"has exited with", "the program that reaches it failed", reachedBy, registry.ErrUnavailable},
		{"error reading server preface: EOF", closed.why, closed.next, closed.kind},
		{"connection reset by peer", closed.why, closed.next, closed.kind},
		{"error reading server preface: http2", notBuildKit, isIt, ErrNoWorker},
		{"code = Unimplemented", notBuildKit, isIt, ErrNoWorker},
		{"unknown service", notBuildKit, isIt, ErrNoWorker},
		{"unexpected HTTP status code", notBuildKit, isIt, ErrNoWorker},
		{"error reading server preface: ", notBuildKit, isIt, ErrNoWorker},
		{"broken pipe", closed.why, closed.next, closed.kind},
		{"executable file not found", "the program that reaches it is missing", "", ErrNoWorker},
		{"context deadline exceeded", fmt.Sprintf("it did not answer within %s", patience), "is the address right, and the network between?", registry.ErrUnavailable},
		{"permission denied", "this user may not talk to it", "", registry.ErrDenied},
	} {
		if strings.Contains(err.Error(), w.word) {
			e.kind, e.why = w.kind, w.why
			if w.next != "" {
				e.next = w.next
			}
			break
		}
	}
	return e
}

const (
	reachedBy   = "is it there, and running? docker, podman, kubectl or ssh reach it by the name in the address"
	notBuildKit = "what answers there is not BuildKit"
	isIt        = "give the address of a buildkitd"
)

func (e *silentError) Error() string {
	if e.why == "" {
		return fmt.Sprintf("connecting to worker %q: %v", e.addr, e.err)
	}
	return fmt.Sprintf("connecting to worker %q: %s: %v", e.addr, e.why, e.err)
}
func (e *silentError) Unwrap() []error { return []error{e.kind, e.err} }

// Hint is the next action.
func (e *silentError) Hint() string { return e.next }
