package remote

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"

	"mtool/registry"
)

// maxTagPage bounds the answer that is read as one page of tags, in bytes.
const maxTagPage = 16 << 20

// Tags returns the names of all tags in the registry's order, page after page. The error wraps ErrNotFound when there
// is no such repository, ErrContent when the pages never end.
//
// https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#listing-tags
func (r *Repository) Tags(ctx context.Context) ([]string, error) {
	return pages(r, listingTags, func(query string) ([]string, string, error) { return r.tagPage(ctx, query) })
}

const listingTags = "listing tags"

func (r *Repository) tagPage(ctx context.Context, query string) (tags []string, next string, err error) {
	var page struct {
		Tags []string `json:"tags"`
	}
	q := request{doing: listingTags, ref: r.base, scopes: r.reads(), path: r.path("tags", "list"), query: query}
	next, err = r.namesPage(ctx, q, &page)
	return page.Tags, next, err
}

// Repositories returns the names of all repositories of a host, in the registry's order. Few public registries list
// them: the error wraps ErrDenied or ErrNotFound then.
//
// https://distribution.github.io/distribution/spec/api/#listing-repositories
func (c *Client) Repositories(ctx context.Context, host string) ([]string, error) {
	r := c.Repository(registry.Ref{Transport: registry.TransportRegistry, Host: host}, Pull)
	return pages(r, listingRepositories, func(query string) ([]string, string, error) {
		var page struct {
			Repositories []string `json:"repositories"`
		}
		q := request{doing: listingRepositories, ref: r.base, scopes: scopes{}, path: "/v2/_catalog", query: query}
		next, err := r.namesPage(ctx, q, &page)
		return page.Repositories, next, err
	})
}

const listingRepositories = "listing repositories"

// namesPage reads one page of names into page, and returns the query of the next.
func (r *Repository) namesPage(ctx context.Context, q request, page any) (next string, err error) {
	q.method, q.want = http.MethodGet, []int{http.StatusOK}
	return retry(ctx, r.client, func() (string, error) {
		resp, err := r.host.send(ctx, q)
		if err != nil {
			return "", err
		}
		defer drain(resp.Body)
		body, err := io.ReadAll(io.LimitReader(resp.Body, maxTagPage))
		if err != nil {
			return "", r.host.failure(q).broke(ctx, r.host.name, err)
		}
		if err := json.Unmarshal(body, page); err != nil {
			e := r.host.failure(q)
			e.Kind, e.Err, e.Message = registry.ErrContent, err, "the answer is not a list of names"
			return "", e
		}
		return nextQuery(resp.Header.Get("Link")), nil
	})
}

// nextQuery returns the query of the next page from a Link header (RFC 5988), "" when there is none.
func nextQuery(link string) string {
	target, parameters, ok := strings.Cut(strings.TrimPrefix(strings.TrimSpace(link), "<"), ">")
	if !ok || !strings.Contains(parameters, "next") {
		return ""
	}
	u, err := url.Parse(target)
	if err != nil {
		return ""
	}
	return u.RawQuery
}

// maxPages and maxListed bound what is read of a list that comes in pages: one that never ends is a defect or an
// attack.
const (
	maxPages  = 10_000
	maxListed = 1 << 20
)

// pages reads a list page after page. doing is for errors.
func pages[T any](
	r *Repository, doing string, read func(query string) (page []T, next string, err error),
) ([]T, error) {
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
			e.Kind, e.Message = registry.ErrContent, fmt.Sprintf("the list does not end: %d rows on %d pages, and more",
				len(all), n)
			return nil, e
		}
		query = next
	}
}
