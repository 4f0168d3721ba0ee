package receiver

import "github.com/otelcol-balena/balenareceiver/balenaclient"

// labels makes the names of fleets unique, as balena-prometheus-exporter does not: names may repeat among organizations. The first
// fleet with a name keeps it, and the others get their slugs.
type labels map[string]bool

func newLabels() labels { return labels{} }

// unique returns the label of a fleet. Labels are stable only if fleets come in a fixed order.
func (l labels) unique(row balenaclient.Fleet) string {
	label := row.Name
	if l[label] {
		label = row.Slug
	}
	l[label] = true
	return label
}
