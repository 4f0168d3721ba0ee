//go:generate cp ../metadata.yaml metadata.yaml
//go:generate go tool -modfile=../internal/tools/go.mod mdatagen metadata.yaml

// Package receiver implements the balena receiver of the OpenTelemetry Collector: it polls the balena API and emits metrics of
// fleets, devices and releases.
//
// One scrape is one straight line, each step in the file that bears its name: plan (which requests do the enabled metrics need),
// fetch (ask them), snapshot (what the account looked like), record (the snapshot as pdata).
//
// The package is called receiver, not balenareceiver, because mdatagen takes the name of the package from its folder.
package receiver
