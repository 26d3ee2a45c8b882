package build

import "testing"

func TestDefaultKeep(t *testing.T) {
	t.Parallel()
	if got := defaultKeep(t.TempDir()); got <= 0 || got > mostBytes {
		t.Errorf("got %d", got)
	}
	if got := defaultKeep("/nowhere"); got != mostBytes {
		t.Errorf("for an unknown disk: %d", got)
	}
}
