package trace

import (
	"context"
	"os"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracegrpc"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	oteltrace "go.opentelemetry.io/otel/trace"

	"mtool/registry/remote"
)

// Spans are the spans of one command: its own, and one for each exchange.
type Spans struct {
	provider *sdktrace.TracerProvider
	tracer   oteltrace.Tracer
	ctx      context.Context //nolint:containedctx // of the command's span, which those of exchanges are in
	span     oteltrace.Span
}

// Wanted reports whether the environment names a collector.
func Wanted() bool {
	return os.Getenv("OTEL_SDK_DISABLED") != "true" &&
		(os.Getenv("OTEL_EXPORTER_OTLP_ENDPOINT") != "" || os.Getenv("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT") != "")
}

// Start begins the span of a command. The environment says where spans are sent, and what with them; see
// https://opentelemetry.io/docs/specs/otel/protocol/exporter/. The span that TRACEPARENT names is the parent.
func Start(ctx context.Context, command, version string) (*Spans, error) {
	exporter, err := newExporter(ctx)
	if err != nil {
		return nil, err
	}
	about, err := resource.New(ctx,
		resource.WithAttributes(attribute.String("service.name", "mtool"), attribute.String("service.version", version)),
		resource.WithFromEnv())
	if err != nil {
		return nil, err
	}
	s := &Spans{provider: sdktrace.NewTracerProvider(sdktrace.WithBatcher(exporter), sdktrace.WithResource(about))}
	s.tracer = s.provider.Tracer("mtool")
	parent := propagation.MapCarrier{"traceparent": os.Getenv("TRACEPARENT"), "tracestate": os.Getenv("TRACESTATE")}
	ctx = propagation.TraceContext{}.Extract(context.WithoutCancel(ctx), parent)
	s.ctx, s.span = s.tracer.Start(ctx, command)
	return s, nil
}

func newExporter(ctx context.Context) (sdktrace.SpanExporter, error) {
	protocol := os.Getenv("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL")
	if protocol == "" {
		protocol = os.Getenv("OTEL_EXPORTER_OTLP_PROTOCOL")
	}
	if protocol == "grpc" {
		return otlptracegrpc.New(ctx)
	}
	return otlptracehttp.New(ctx)
}

// Add adds a span for an exchange.
func (s *Spans) Add(e remote.Exchange) {
	_, span := s.tracer.Start(s.ctx, e.Method, oteltrace.WithTimestamp(e.Started),
		oteltrace.WithSpanKind(oteltrace.SpanKindClient))
	span.SetAttributes(
		attribute.String("http.request.method", e.Method), attribute.String("url.full", e.URL),
		attribute.Int("http.response.status_code", e.Status), attribute.String("network.peer.address", e.Address),
		attribute.Int64("http.request.body.size", e.Sent), attribute.Int64("http.response.body.size", e.Received),
	)
	if e.Err != "" || e.Status >= 400 {
		span.SetStatus(codes.Error, e.Err)
	}
	span.End(oteltrace.WithTimestamp(e.Started.Add(e.Took)))
}

// End ends the command's span and sends the remaining spans. It waits only a short time for a collector.
func (s *Spans) End(code int) error {
	const patience = 3 * time.Second
	s.span.SetAttributes(attribute.Int("process.exit.code", code))
	if code != 0 {
		s.span.SetStatus(codes.Error, "")
	}
	s.span.End()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(s.ctx), patience)
	defer cancel()
	return s.provider.Shutdown(ctx)
}
