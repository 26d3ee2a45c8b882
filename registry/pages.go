package registry

import "fmt"

// maxPages and maxListed bound what is read of a list that comes in pages: one that never ends is a defect, or malice.
const (
	maxPages  = 10_000
	maxListed = 1 << 20
)

// pages reads a list page after page. doing is for errors.
func pages[T any](r *Repository, doing string, read func(query string) (page []T, next string, err error)) ([]T, error) {
	var all []T
	query := ""
	for n := 1; ; n++ {
		page, next, err := read(query)
		if err != nil {
			return nil, err
		}
		all = append(all, page...)
		switch {
		case next == "" || next == query:
			return all, nil
		case n == maxPages || len(all) > maxListed:
			e := r.host.failure(request{doing: doing, ref: r.base})
			e.Kind, e.Message = ErrContent, fmt.Sprintf("the list does not end: %d rows on %d pages, and more", len(all), n)
			return nil, e
		}
		query = next
	}
}
