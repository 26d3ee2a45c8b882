package draft_test

import (
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"sync"
	"testing"

	"mtool/compose"
	"mtool/compose/draft"
)

const (
	processes = 3
	edits     = 8
)

// No edit is lost when several goroutines in several processes edit one draft at the same time.
func TestConcurrentUpdates(t *testing.T) {
	t.Parallel()
	dir, worker := os.Getenv("MTOOL_TEST_DRAFTS"), os.Getenv("MTOOL_TEST_WORKER")
	if worker != "" {
		amend(t, dir, worker)
		return
	}
	dir = t.TempDir()
	if err := draft.Open(dir).Save(t.Context(), list(t, "demo:v1")); err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for i := range processes {
		wg.Go(func() {
			cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestConcurrentUpdates$")
			cmd.Env = append(os.Environ(), "MTOOL_TEST_DRAFTS="+dir, "MTOOL_TEST_WORKER="+strconv.Itoa(i))
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Errorf("process %d: %v\n%s", i, err, out)
			}
		})
	}
	amend(t, dir, "here")
	wg.Wait()
	l, err := draft.Open(dir).Load(t.Context(), ref(t, "demo:v1"))
	if want := (processes + 1) * edits; err != nil || len(l.Annotations) != want {
		t.Errorf("got %d annotations, %v, want %d: an edit was lost", len(l.Annotations), err, want)
	}
	if got := files(t, dir); len(got) != 1 {
		t.Errorf("got files %v, want no locks left", got)
	}
}

func amend(t *testing.T, dir, worker string) {
	var wg sync.WaitGroup
	for i := range edits {
		wg.Go(func() {
			_, err := draft.Open(dir).Update(t.Context(), ref(t, "demo:v1"), func(l compose.List) (compose.List, error) {
				l, _, err := l.AnnotateList(compose.Edit{Annotations: map[string]string{fmt.Sprintf("%s-%d", worker, i): "x"}})
				return l, err
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
}
