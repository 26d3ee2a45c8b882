package build

import (
	"slices"
	"testing"
)

func TestWithGateway(t *testing.T) {
	t.Parallel()
	given := []string{"a=192.0.2.1", "b=host-gateway"}
	for name, c := range map[string]struct {
		w    worker
		want string
	}{
		"embedded":      {worker{WorkerAddr: WorkerAddr{Addr: Embedded}}, "127.0.0.1"},
		"Docker Engine": {worker{WorkerAddr: WorkerAddr{Addr: DockerEngine}, gateway: "172.17.0.1"}, "172.17.0.1"},
		"says nothing":  {worker{WorkerAddr: WorkerAddr{Addr: "tcp://a:1"}}, ""},
	} {
		got, err := c.w.withGateway(given, false)
		if (err != nil) != (c.want == "") || err == nil && !slices.Equal(got, []string{"a=192.0.2.1", "b=" + c.want}) {
			t.Errorf("%s: got %q, %v, want %q", name, got, err, c.want)
		}
	}
	other := worker{WorkerAddr: WorkerAddr{Addr: "tcp://a:1"}}
	if _, err := other.withGateway(given[:1], false); err != nil {
		t.Errorf("an address needs no gateway: %v", err)
	}
}
