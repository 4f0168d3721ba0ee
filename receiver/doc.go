//go:generate sh -c "{ echo '# Code generated from ../metadata.yaml. DO NOT EDIT.'; cat ../metadata.yaml; } > metadata.yaml"
//go:generate go tool -modfile=../internal/tools/go.mod mdatagen metadata.yaml

// Package receiver implements the balena receiver of the OpenTelemetry Collector: it polls the balena API and emits metrics of
// fleets, devices and releases.
//
// A scrape is a straight line, with each step in the file of that name: plan (which requests the enabled metrics need), fetch (make the
// requests), snapshot (what the account looked like), record (the snapshot as pdata, with stale markers for the series that are gone).
//
// Receivers of one configuration, for metrics and for logs, share a poller, so that the API is asked once.
//
// The package is called receiver rather than balenareceiver because mdatagen derives the package name from the folder.
package receiver
