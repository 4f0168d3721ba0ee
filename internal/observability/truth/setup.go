package truth

import (
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/otelcol-balena/balenareceiver/internal/observability/pipeline"
	"github.com/otelcol-balena/balenareceiver/receiver"
)

// setup is how the receiver is configured in a sequence.
type setup struct {
	metrics     []string // all, the default ones, or some
	tags        bool     // whether tags are attributes
	withoutUUID bool
	stateSets   bool
	pageSize    int
	budget      int // requests a minute; 0 for no limit
	skew        int // by how many minutes the server's clock is ahead
}

const token = "secret-token-of-this-test"

// The tags that are made attributes, and their labels.
var (
	fleetTagLabels  = map[string]string{"env": "balena_fleet_tag_env"}
	deviceTagLabels = map[string]string{"site": "balena_device_tag_site", "rack": "rack"}
)

// newSetup draws a configuration.
func newSetup(r *source) setup {
	s := setup{pageSize: []int{1000, 1000, 1000, 3}[r.next(4)]}
	defaults, all := metricNames()
	switch r.next(8) {
	case 0:
		s.metrics = defaults
	case 1, 2:
		for _, name := range all {
			if r.next(4) == 0 || strings.HasPrefix(name, "balena.scrape.") {
				s.metrics = append(s.metrics, name)
			}
		}
	default:
		s.metrics = all
	}
	s.tags = r.next(3) == 0
	s.withoutUUID = r.next(12) == 0
	s.stateSets = r.next(6) == 0
	if r.next(8) == 0 {
		s.budget = 4 + r.next(12)
		s.pageSize = 1000
	}
	s.skew = []int{0, 0, 10, -10}[r.next(4)]
	return s
}

func (s setup) String() string {
	_, all := metricNames()
	return fmt.Sprintf("%d of %d metrics, tags %t, without UUID %t, state sets %t, pages of %d, budget %d, server's clock %+d min",
		len(s.metrics), len(all), s.tags, s.withoutUUID, s.stateSets, s.pageSize, s.budget, s.skew)
}

// config is the receiver's configuration.
func (s setup) config() map[string]any {
	_, all := metricNames()
	metrics := map[string]any{}
	for _, name := range all {
		metrics[name] = map[string]any{"enabled": slices.Contains(s.metrics, name)}
	}
	config := map[string]any{
		"token": token, "api": pipeline.Endpoint(), "metrics": metrics, "page_size": s.pageSize, "request_budget": s.budget,
		"state_sets": s.stateSets,
	}
	if s.tags {
		config["tags"] = map[string]any{
			"fleets":  map[string]any{"env": ""},
			"devices": map[string]any{"site": "", "rack": "rack"},
		}
	}
	if s.withoutUUID {
		config["resource_attributes"] = map[string]any{"balena.device.uuid": map[string]any{"enabled": false}}
	}
	return config
}

// metricNames are the receiver's metrics: those on by default, and all.
func metricNames() (defaults, all []string) {
	metrics := reflect.ValueOf(receiver.NewFactory().CreateDefaultConfig().(*receiver.Config).Metrics)
	for i := range metrics.NumField() {
		name, _, _ := strings.Cut(metrics.Type().Field(i).Tag.Get("mapstructure"), ",")
		all = append(all, name)
		if metrics.Field(i).FieldByName("Enabled").Bool() {
			defaults = append(defaults, name)
		}
	}
	return defaults, all
}

// enabled are the metrics of the setup by their names in Prometheus.
func (s setup) enabled() map[string]bool {
	enabled := map[string]bool{}
	for name, need := range needs {
		enabled[name] = slices.Contains(s.metrics, need.metric)
	}
	return enabled
}
