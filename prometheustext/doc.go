//go:generate go tool -modfile=../internal/tools/go.mod mdatagen metadata.yaml

// Package prometheustext implements an exporter that serves the latest value of each series in Prometheus' text format.
//
// It keeps values, not data points: a resource keeps its labels once, and a series is its value, its metric and the labels that are its
// own. A page is written from these when it is pulled, compressed as it is written, and kept until a value changes. So a page shows the state
// between two batches, whoever reads it however slowly, and a server that pulls again costs nothing.
package prometheustext
