package app

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"

	"mtool/compose"
	"mtool/registry"
)

// promoteLabels gives the list, as annotations, the labels that the configs of all its images have alike.
func (e *Env) promoteLabels(ctx context.Context, l compose.List) (compose.List, []compose.Change, error) {
	var common map[string]string
	for _, entry := range l.Entries {
		if entry.Artifact {
			continue
		}
		labels, err := labelsOf(ctx, entry)
		if err != nil {
			return l, nil, fmt.Errorf("reading the labels of %s: %w", entry, err)
		}
		if common == nil {
			common = labels
		}
		maps.DeleteFunc(common, func(k, v string) bool { have, ok := labels[k]; return !ok || have != v })
	}
	if len(common) == 0 {
		e.note("note: the images of %s have no label alike", l.Name.Familiar())
		return l, nil, nil
	}
	return l.AnnotateList(compose.Edit{Annotations: common})
}

func labelsOf(ctx context.Context, entry compose.Entry) (map[string]string, error) {
	if entry.Image == nil {
		return nil, registry.ErrNotFound
	}
	body, err := readBlob(ctx, entry.Image.Source, entry.Image.ConfigOf)
	if err != nil {
		return nil, err
	}
	var config struct {
		Config struct {
			Labels map[string]string `json:"Labels"`
		} `json:"config"`
	}
	if err := json.Unmarshal(body, &config); err != nil {
		return nil, fmt.Errorf("%w: %w", registry.ErrContent, err)
	}
	if config.Config.Labels == nil {
		return map[string]string{}, nil
	}
	return config.Config.Labels, nil
}
