package build

import "testing"

func TestHostOf(t *testing.T) {
	t.Parallel()
	h := hostOf(parsed(t, "linux/amd64", "linux/amd64/v2", "linux/amd64/v3", "linux/386", "linux/arm64"))
	for name, native := range map[string]bool{
		"linux/amd64/v3": true, "linux/386": true, "linux/arm64": false,
		"linux/arm/v7": false,
	} {
		support, err := h.Support(parsed(t, name)[0])
		if err != nil || support.Native != native {
			t.Errorf("%s: %+v, %v", name, support, err)
		}
	}
	if _, err := h.Support(parsed(t, "linux/amd64/v4")[0]); err == nil {
		t.Error("a level that the worker does not list")
	}
}
