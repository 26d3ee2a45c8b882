package worker

import (
	"fmt"
	"strings"
	"testing"
)

func TestTail(t *testing.T) {
	t.Parallel()
	var l tail
	for i := range 10000 {
		fmt.Fprintf(&l, "line %d\n", i)
	}
	if got := l.String(); len(got) > tailSize || !strings.HasSuffix(got, "line 9998\nline 9999") {
		t.Errorf("%d bytes, ending in %q", len(got), got[max(0, len(got)-20):])
	}
}
