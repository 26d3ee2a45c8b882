package registrytest

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// serveReferrers sends a list of the manifests in repo whose subject is the digest name.
// https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#listing-referrers
func (s *Server) serveReferrers(w http.ResponseWriter, repo, name string) {
	if !s.options.Referrers {
		refuse(w, http.StatusNotFound, "NOT_FOUND", "no such endpoint")
		return
	}
	s.mu.Lock()
	rows := []v1.Descriptor{}
	for _, m := range s.repository(repo).manifests {
		var body struct {
			ArtifactType string         `json:"artifactType"`
			Subject      *v1.Descriptor `json:"subject"`
		}
		if json.Unmarshal(m.Body, &body) != nil || body.Subject == nil || body.Subject.Digest.String() != name {
			continue
		}
		d := m.Descriptor()
		d.ArtifactType = body.ArtifactType
		rows = append(rows, d)
	}
	s.mu.Unlock()
	slices.SortFunc(rows, func(a, b v1.Descriptor) int { return strings.Compare(a.Digest.String(), b.Digest.String()) })
	list := listManifest{SchemaVersion: 2, MediaType: types.OCIImageIndex, Manifests: rows}
	respond(w, http.StatusOK, string(types.OCIImageIndex), encode(list))
}
