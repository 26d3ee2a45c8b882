package registry

// Hinter is an error that knows the user's next action: one line, no capital, no full stop.
type Hinter interface{ Hint() string }

// WithHint adds the next action to err. It returns err as it is when either is missing.
func WithHint(err error, hint string) error {
	if err == nil || hint == "" {
		return err
	}
	return &hinted{err, hint}
}

type hinted struct {
	error
	hint string
}

func (e *hinted) Unwrap() error { return e.error }
func (e *hinted) Hint() string  { return e.hint }
