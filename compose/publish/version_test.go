package publish_test

import (
	"strings"
	"testing"

	"mtool/compose/publish"
)

func TestVersionTags(t *testing.T) {
	t.Parallel()
	tests := []struct{ version, existing, want string }{
		{"v1.4.2", "", "1.4.2 1.4 1 latest"},
		{"1.4.2", "1.4.1 1.3.9 0.9.0", "1.4.2 1.4 1 latest"},
		{"1.4.2", "1.4.3", "1.4.2"},
		{"1.4.2", "1.5.0", "1.4.2 1.4"},
		{"1.4.2", "2.0.0", "1.4.2 1.4 1"},
		{"1.10.0", "1.9.0", "1.10.0 1.10 1 latest"},
		{"1.4.2", "v1.4.3", "1.4.2"},
		{"1.4.2", "1.4.2", "1.4.2 1.4 1 latest"},
		{"1.4.2", "1.5.0-rc.1 2 3.1 nightly 20240101", "1.4.2 1.4 1 latest"},
		{"1.4.2-rc.1", "", "1.4.2-rc.1"},
	}
	for _, tt := range tests {
		got, kept := publish.VersionTags(tt.version, strings.Fields(tt.existing))
		if strings.Join(got, " ") != tt.want {
			t.Errorf("%s with %q: got %v, want %s", tt.version, tt.existing, got, tt.want)
		}
		if stable := !strings.Contains(tt.version, "-"); stable && len(got)+len(kept) != 4 {
			t.Errorf("%s with %q: got kept tags %v, want the rest of four", tt.version, tt.existing, kept)
		}
	}
}
