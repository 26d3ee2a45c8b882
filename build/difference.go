package build

import (
	"fmt"

	"mtool/inspect"
)

// Difference says in what the image begins to differ from another build of it; "" where both are the same.
func (i Image) Difference(original inspect.Image) (string, error) {
	if original.Manifest.Digest == i.Manifest.Digest {
		return "", nil
	}
	manifest, err := i.Manifest.Refs()
	if err != nil {
		return "", err
	}
	what := "its config or annotations"
	for n, layer := range manifest.Layers {
		if n >= len(original.Layers) || layer.Digest != original.Layers[n].Digest {
			what = fmt.Sprintf("layer %d of %d", n+1, len(manifest.Layers))
			break
		}
	}
	if len(manifest.Layers) < len(original.Layers) {
		what = fmt.Sprintf("%d layers instead of %d", len(manifest.Layers), len(original.Layers))
	}
	return what, nil
}
