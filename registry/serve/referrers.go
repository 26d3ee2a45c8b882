package serve

import (
	"cmp"
	"net/http"
	"slices"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// referrers answers with the manifests of the repository whose subject is the digest, an empty list where there are
// none: https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#listing-referrers
func (s *Server) referrers(w http.ResponseWriter, r *http.Request, repo repository, id string) {
	subject, ok := digest(w, id)
	if !ok {
		return
	}
	rows := []v1.Descriptor{}
	for _, image := range repo.images {
		t, err := s.tree(r.Context(), image.Descriptor)
		if err != nil {
			s.broken(w, err, "MANIFEST_UNKNOWN")
			return
		}
		rows = append(rows, t.referrers[subject]...)
	}
	if kind := r.URL.Query().Get("artifactType"); kind != "" {
		rows = slices.DeleteFunc(rows, func(d v1.Descriptor) bool { return d.ArtifactType != kind })
		w.Header().Set("OCI-Filters-Applied", "artifactType")
	}
	slices.SortFunc(rows, func(a, b v1.Descriptor) int { return cmp.Compare(a.Digest.String(), b.Digest.String()) })
	rows = slices.CompactFunc(rows, func(a, b v1.Descriptor) bool { return a.Digest == b.Digest })
	w.Header().Set("Content-Type", string(types.OCIImageIndex))
	answer(w, map[string]any{"schemaVersion": 2, "mediaType": types.OCIImageIndex, "manifests": rows})
}
