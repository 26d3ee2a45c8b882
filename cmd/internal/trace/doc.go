// Package trace keeps what went over the line: as a file in the HTTP Archive format, and as spans for OpenTelemetry.
//
// A caller needs Archive.Add and Archive.WriteFile, or Start, Spans.Add and Spans.End. What is added holds no secrets
// already, as remote.Exchange promises; the package adds none, such as arguments and the environment.
package trace
