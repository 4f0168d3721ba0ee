//go:generate go tool -modfile=../internal/tools/go.mod mdatagen metadata.yaml

// Package fleetpage implements the fleetpage exporter of the OpenTelemetry Collector: it serves a page that shows the fleets whose metrics
// it is given, by the balena receiver or by an OTLP receiver behind several of them.
//
// The model (internal/model) is what is known and what is wrong; internal/web renders it.
package fleetpage
