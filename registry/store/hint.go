package store

// hinted is an error with the user's next action.
type hinted struct {
	error
	hint string
}

func withHint(err error, hint string) error { return &hinted{err, hint} }

func (h *hinted) Unwrap() error { return h.error }

// Hint implements registry.Hinter.
func (h *hinted) Hint() string { return h.hint }
