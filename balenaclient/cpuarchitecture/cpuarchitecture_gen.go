// Code generated from schema.yaml by schemagen. DO NOT EDIT.

// Package cpuarchitecture holds the fields of [balenaclient.CPUArchitecture], to filter, select, expand and order queries by, and to write.
package cpuarchitecture

import (
	"github.com/otelcol-balena/balenareceiver/balenaclient"
	"github.com/otelcol-balena/balenareceiver/balenaclient/pine"
)

// Fields of [balenaclient.CPUArchitecture]; its documentation says what they mean.
const (
	ID   pine.Field[balenaclient.CPUArchitecture, balenaclient.CPUArchitectureID] = "id"
	Slug pine.Field[balenaclient.CPUArchitecture, string]                         = "slug"
)

// BySlug names the one row with this slug.
func BySlug(slug string) pine.Key[balenaclient.CPUArchitecture] {
	return Slug.Key(slug)
}
