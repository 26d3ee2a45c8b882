package engine

// hinted is an error with the user's next action.
type hinted struct {
	error
	hint string
}

func (h *hinted) Unwrap() error { return h.error }

// Hint implements registry.Hinter.
func (h *hinted) Hint() string { return h.hint }
