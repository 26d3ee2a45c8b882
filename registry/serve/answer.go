package serve

import (
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"syscall"

	"mtool/registry"
)

// broken answers with an error of the store.
func (s *Server) broken(w http.ResponseWriter, err error, unknown string) {
	switch {
	case errors.Is(err, registry.ErrNotFound):
		refuse(w, http.StatusNotFound, unknown, err.Error())
	case diskFull(err):
		refuse(w, http.StatusInsufficientStorage, "DENIED", err.Error())
	default:
		refuse(w, http.StatusInternalServerError, "UNKNOWN", err.Error())
	}
}

func diskFull(err error) bool {
	return errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT)
}

// answer writes JSON; the type may be set already.
func answer(w http.ResponseWriter, v any) {
	if w.Header().Get("Content-Type") == "" {
		w.Header().Set("Content-Type", "application/json")
	}
	_ = json.NewEncoder(w).Encode(v) // a client that went away is not our failure
}

// refuse writes an error as the specification has it:
// https://github.com/opencontainers/distribution-spec/blob/v1.1.0/spec.md#error-codes
func refuse(w http.ResponseWriter, status int, code, message string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	answer(w, map[string]any{"errors": []map[string]string{{"code": code, "message": message}}})
}

func notAllowed(w http.ResponseWriter, message string, allowed ...string) {
	w.Header().Set("Allow", strings.Join(allowed, ", "))
	refuse(w, http.StatusMethodNotAllowed, "UNSUPPORTED", message)
}
