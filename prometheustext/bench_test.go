package prometheustext

import (
	"fmt"
	"testing"

	"go.opentelemetry.io/collector/pdata/pmetric"
)

// devices are metrics as the receiver emits them: resources with a few points each.
func devices(n int) pmetric.Metrics {
	metrics := pmetric.NewMetrics()
	for i := range n {
		rm := metrics.ResourceMetrics().AppendEmpty()
		attributes := rm.Resource().Attributes()
		attributes.PutStr("balena.device.name", fmt.Sprintf("device-%d", i))
		attributes.PutStr("balena.device.type", "raspberrypi4-64")
		attributes.PutStr("balena.device.uuid", fmt.Sprintf("%032x", i*2654435761))
		attributes.PutStr("balena.fleet.name", fmt.Sprintf("fleet-%d", i/200))
		attributes.PutStr("balena.fleet.slug", fmt.Sprintf("acme/fleet-%d", i/200))
		sm := rm.ScopeMetrics().AppendEmpty()
		add := func(name, unit string, value float64, attributes ...string) {
			metric := sm.Metrics().AppendEmpty()
			metric.SetName(name)
			metric.SetUnit(unit)
			point := metric.SetEmptyGauge().DataPoints().AppendEmpty()
			point.SetDoubleValue(value)
			for i := 0; i < len(attributes); i += 2 {
				point.Attributes().PutStr(attributes[i], attributes[i+1])
			}
		}
		add("balena.device.online", "1", float64(i%2))
		add("balena.device.status", "1", 1, "balena.device.status", "operational")
		add("balena.device.storage.utilization", "1", float64(i%1000)/1000)
		add("balena.device.last_connectivity_event.timestamp", "s", 1.7e9+float64(i))
		add("balena.device.info", "1", 1, "balena.os.version", "6.0.24", "balena.supervisor.version", "17.0.1", "balena.release.commit", "0123456789abcdef0123456789abcdef01234567")
	}
	return metrics
}

func BenchmarkState_Update(b *testing.B) {
	metrics := devices(10_000)
	s := newState(1 << 40)
	s.update(metrics, 0)
	b.ReportAllocs()
	for b.Loop() {
		s.update(metrics, 1)
	}
}

func BenchmarkState_Render(b *testing.B) {
	s := newState(1 << 40)
	s.update(devices(10_000), 0)
	b.ReportAllocs()
	for b.Loop() {
		s.pages.forget()
		p, err := s.render(1)
		if err != nil {
			b.Fatal(err)
		}
		b.ReportMetric(float64(p.size), "B/page")
	}
}
