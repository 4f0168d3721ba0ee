// Code generated from schema.yaml by schemagen. DO NOT EDIT.

// Package cpuarchitecture holds the columns of [balenaclient.CPUArchitecture], to filter, select, expand and order queries by, and to write.
package cpuarchitecture

import (
	"github.com/otelcol-balena/balenareceiver/balenaclient"
	"github.com/otelcol-balena/balenareceiver/balenaclient/pine"
)

// Columns of [balenaclient.CPUArchitecture]. Their names in the API are given in parentheses.
const (
	// ID (id): Identifies the row.
	ID pine.Field[balenaclient.CPUArchitecture, balenaclient.CPUArchitectureID] = "id"

	// Slug (slug): For example aarch64, armv7hf, rpi, amd64 or i386.
	Slug pine.Text[balenaclient.CPUArchitecture] = "slug"
)

// Select returns a query for these columns, or for the default ones without any, to expand links with.
func Select(columns ...pine.Selectable[balenaclient.CPUArchitecture]) pine.Query[balenaclient.CPUArchitecture] {
	return pine.Select(columns...)
}

// Where returns a query for the rows that match all filters, to expand links with.
func Where(filters ...pine.Filter[balenaclient.CPUArchitecture]) pine.Query[balenaclient.CPUArchitecture] {
	return pine.Where(filters...)
}

// BySlug identifies the row with this slug.
func BySlug(slug string) pine.Key[balenaclient.CPUArchitecture] {
	return Slug.Key(slug)
}
