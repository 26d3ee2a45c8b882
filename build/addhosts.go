package build

import (
	"fmt"
	"slices"
	"strings"

	"mtool/build/netns"
	embedded "mtool/build/worker"
)

// hostGateway stands for the address at which steps reach the machine that they run on.
const hostGateway = "host-gateway"

// gatewayLabel is a label of Docker Engine's worker, whose steps have a network of their own.
const gatewayLabel = "org.mobyproject.buildkit.worker.moby.host-gateway-ip"

// withGateway returns the added hosts with the address that the worker has for hostGateway: its own loopback address
// where steps share the machine's network.
func (w *worker) withGateway(hosts []string, own bool) ([]string, error) {
	var all []string
	for _, host := range hosts {
		name, ip, _ := strings.Cut(host, "=")
		if ip == hostGateway {
			switch ip = w.gateway; {
			case w.embedded() && own:
				ip = netns.Gateway
			case w.embedded():
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

// gatewayPorts returns the ports of the job's proxies that are at this machine's loopback, and whether its steps may
// reach all of them.
func (w *worker) gatewayPorts(job Job) (proxies []uint16, all bool) {
	args := map[string]string{}
	proxyAttrs(args, w.proxy(job), job.Spec.BuildArgs)
	for name, value := range job.Spec.BuildArgs {
		args["build-arg:"+name] = value
	}
	for name, value := range args {
		if port := embedded.LoopbackPort(value); port != 0 && embedded.IsProxy(strings.TrimPrefix(name, "build-arg:")) {
			proxies = append(proxies, port)
		}
	}
	slices.Sort(proxies)
	proxies = slices.Compact(proxies)
	for _, host := range job.Spec.AddHosts {
		_, ip, _ := strings.Cut(host, "=")
		all = all || ip == hostGateway
	}
	return proxies, all
}

// sayNetworks says which network RUN steps are in, where that may surprise.
func (p *pool) sayNetworks(job Job) {
	if !p.plan.runs() || job.Spec.Network == "none" {
		return
	}
	w := p.embedded()
	if job.Spec.Network != NetworkSandbox {
		job.Options.say("note: RUN steps share the network of the machine they run on")
		return
	}
	if w == nil {
		return
	}
	proxies, _ := w.gatewayPorts(job)
	for _, port := range proxies {
		job.Options.say(fmt.Sprintf("note: RUN steps reach the proxy at port %d of this machine's 127.0.0.1 as %s:%d",
			port, netns.Gateway, port))
	}
}
