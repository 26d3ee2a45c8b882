package testparts

import "testing"

func TestAsksForMore(t *testing.T) {
	t.Parallel()
	for script, want := range map[string]bool{
		"exec mtool version\n":                              false,
		"[!qemu] skip 'QEMU is missing'\n":                  false,
		"[!qemu] skip 'x'\n[!docker] skip 'x'\nexec true\n": true,
		"[!qemu] skip 'x'\n[docker] exec docker version\n":  true,
		"[race] skip 'too large'\n":                         false,
		"-- config --\n[core]\n":                            false,
	} {
		if got := asksForMore(script, []string{"qemu", "registry"}); got != want {
			t.Errorf("%q: got %t, want %t", script, got, want)
		}
	}
}
