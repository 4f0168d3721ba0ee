//go:generate go run ./internal/schemagen

// Package balenaclient is a typed client for the balena API, version 7, of balenaCloud and openBalena.
//
//	client, err := balenaclient.New(balenaclient.WithToken(token))
//
//	offline := client.Devices().
//		Where(device.Fleet.Where(fleet.Slug.Eq("acme/kiosk")), device.IsOnline.Eq(false)).
//		Select(device.UUID, device.Name, device.LastConnectivityEvent).
//		Expand(device.RunningRelease.With(pine.Select(release.RawVersion)))
//	for d, err := range offline.All(ctx) { … }
//
// Queries are immutable values of [pine.Query]; package pine documents how they are paged, retried and what errors they return. The
// fields of each resource are in a package of its own (device, fleet, release, …), and carry the resource and the Go type they belong
// to: a query that mixes them up does not compile.
//
// # What the API does not tell
//
// A resource that does not exist and one that the credentials do not reach look alike: both are an empty list. Worse, wrong or
// expired credentials are answered with the public rows on most resources, fleets among them, and refused on devices only. To know
// whether credentials are good, ask [Client.WhoAmI].
package balenaclient
