package days

import (
	"bytes"
	"context"
	"fmt"
	"strings"

	"go.opentelemetry.io/otel/attribute"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
)

// ownMetrics are the receiver's own metrics as distribution/otelcol.yaml serves them at port 8888: without suffixes for types and units.
func ownMetrics(ctx context.Context, reader *sdkmetric.ManualReader) ([]byte, error) {
	var collected metricdata.ResourceMetrics
	if err := reader.Collect(ctx, &collected); err != nil {
		return nil, fmt.Errorf("collect the receiver's own metrics: %w", err)
	}
	var text bytes.Buffer
	write := func(name string, attributes attribute.Set, value any) {
		var labels []string
		for _, kv := range attributes.ToSlice() {
			labels = append(labels, fmt.Sprintf("%s=%q", strings.ReplaceAll(string(kv.Key), ".", "_"), kv.Value.String()))
		}
		fmt.Fprintf(&text, "%s{%s} %v\n", name, strings.Join(labels, ","), value)
	}
	for _, scope := range collected.ScopeMetrics {
		for _, metric := range scope.Metrics {
			name := metric.Name
			if !strings.HasPrefix(name, "otelcol_") { // of the HTTP client, which the Collector's default level skips
				continue
			}
			switch data := metric.Data.(type) {
			case metricdata.Sum[int64]:
				writeAll(write, name, data.DataPoints)
			case metricdata.Sum[float64]:
				writeAll(write, name, data.DataPoints)
			case metricdata.Gauge[int64]:
				writeAll(write, name, data.DataPoints)
			case metricdata.Gauge[float64]:
				writeAll(write, name, data.DataPoints)
			case metricdata.Histogram[float64]:
				for _, point := range data.DataPoints {
					sum := uint64(0)
					for i, count := range point.BucketCounts {
						sum += count
						bound := "+Inf"
						if i < len(point.Bounds) {
							bound = fmt.Sprint(point.Bounds[i])
						}
						withBound := attribute.NewSet(append(point.Attributes.ToSlice(), attribute.String("le", bound))...)
						write(name+"_bucket", withBound, sum)
					}
					write(name+"_sum", point.Attributes, point.Sum)
					write(name+"_count", point.Attributes, point.Count)
				}
			default:
				return nil, fmt.Errorf("own metric %s has type %T, which ownMetrics does not write yet", metric.Name, data)
			}
		}
	}
	return text.Bytes(), nil
}

func writeAll[N int64 | float64](write func(string, attribute.Set, any), name string, points []metricdata.DataPoint[N]) {
	for _, point := range points {
		write(name, point.Attributes, point.Value)
	}
}
