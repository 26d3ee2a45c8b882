// Package trace records requests: in a file in the HTTP Archive format, and as spans for OpenTelemetry.
//
// A caller needs Archive.Add and Archive.WriteFile, or Start, Spans.Add and Spans.End. A remote.Exchange has no
// secrets, and the package adds none: it records neither arguments nor the environment.
package trace
