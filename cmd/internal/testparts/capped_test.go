package testparts

import (
	"strings"
	"testing"
)

func TestMissingCapabilities(t *testing.T) {
	t.Parallel()
	for status, want := range map[string]string{
		"CapBnd:\t000001ffffffffff\n": "", "CapBnd:\t000001fffeffffff\n": "CAP_SYS_RESOURCE", "": "",
		"CapEff:\t0\nCapBnd:\t000001fffeffdfff\n": "CAP_NET_RAW CAP_SYS_RESOURCE",
	} {
		if got := strings.Join(missingCapabilities(status), " "); got != want {
			t.Errorf("%q: got %q, want %q", status, got, want)
		}
	}
}
