package build

import (
	"fmt"
	"strings"
)

// hostGateway stands for the address at which steps reach the machine that they run on.
const hostGateway = "host-gateway"

// gatewayLabel is a label of Docker Engine's worker, whose steps have a network of their own.
const gatewayLabel = "org.mobyproject.buildkit.worker.moby.host-gateway-ip"

// withGateway returns the added hosts with the address that the worker has for hostGateway: its own loopback address
// where steps share the machine's network.
func (w *worker) withGateway(hosts []string) ([]string, error) {
	var all []string
	for _, host := range hosts {
		name, ip, _ := strings.Cut(host, "=")
		if ip == hostGateway {
			if ip = w.gateway; w.embedded() {
				ip = "127.0.0.1"
			}
			if ip == "" {
				return nil, &WorkerError{
					Doing: fmt.Sprintf("adding host %q", name),
					Err:   fmt.Errorf("%s does not say by which address its steps reach it", w),
				}
			}
		}
		all = append(all, name+"="+ip)
	}
	return all, nil
}
