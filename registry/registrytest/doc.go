// Package registrytest makes fixtures for the tests of other packages: tiny images of any architecture, honest or
// lying, and an in-process registry with authentication, TLS and faults on demand.
//
// Most tests need two calls: New, which starts a registry and stops it with the test, and Image (or List), which builds
// content for Server.Load or Built.Push. Builders and Start need no testing.TB, so that script drivers can use them.
// Suite has the assertions that every registry.Source and registry.Target must pass.
//
// Equal specs give equal bytes, in every run. The images can't be run: their /app is a header without code.
package registrytest
