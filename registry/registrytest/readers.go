package registrytest

import (
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
)

// Readers asks libraries of other programs which image they read from a list or an archive. See testdata/tools/readers.
type Readers struct {
	t   testing.TB
	in  *json.Encoder
	out *json.Decoder
}

// StartReaders starts the program readers. Without it the test is skipped, or fails if MTOOL_TEST_REQUIRE names it.
func StartReaders(t testing.TB) *Readers {
	t.Helper()
	path, err := exec.LookPath("readers")
	if err != nil {
		if strings.Contains(os.Getenv("MTOOL_TEST_REQUIRE"), "readers") {
			t.Fatal(err)
		}
		t.Skip("needs readers: testdata/tools.sh readers")
	}
	cmd := exec.Command(path)
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	must(err)
	out, err := cmd.StdoutPipe()
	must(err)
	must(cmd.Start())
	t.Cleanup(func() {
		_ = in.Close()
		_, _ = io.Copy(io.Discard, out)
		if err := cmd.Wait(); err != nil {
			t.Errorf("readers: %v", err)
		}
	})
	return &Readers{t: t, in: json.NewEncoder(in), out: json.NewDecoder(out)}
}

// Ask returns the answer of each library, by its name.
func (r *Readers) Ask(question map[string]any) map[string]string {
	r.t.Helper()
	var answer map[string]string
	if err := r.in.Encode(question); err != nil {
		r.t.Fatal(err)
	}
	if err := r.out.Decode(&answer); err != nil {
		r.t.Fatal(err)
	}
	return answer
}

// Rounds returns the number of rounds of a randomised test, full in long runs and a tenth of that in short ones, and
// the seed, which is MTOOL_TEST_SEED or 1. It logs both.
func Rounds(t testing.TB, full int) (rounds int, seed uint64) {
	t.Helper()
	if os.Getenv("MTOOL_TEST_FULL") == "" {
		full /= 10
	}
	seed = 1
	if n, err := strconv.ParseUint(os.Getenv("MTOOL_TEST_SEED"), 10, 64); err == nil {
		seed = n
	}
	t.Logf("%d rounds, MTOOL_TEST_SEED=%d", full, seed)
	return full, seed
}
