//go:generate go run ./internal/schemagen

// Package balenaclient is a typed client for the balena API, version 7, on balenaCloud and openBalena.
//
//	client, err := balenaclient.New(balenaclient.WithEnvironment())
//
//	offline := client.Devices().
//		Where(device.Fleet.Where(fleet.Slug.Eq("acme/kiosk")), device.IsOnline.Eq(false)).
//		Select(device.UUID, device.Name, device.LastConnectivityEvent).
//		Expand(device.RunningRelease.With(release.Select(release.RawVersion)))
//	for d, err := range offline.All(ctx) { … }
//
// Queries are immutable values of [pine.Query], which documents paging, retries and errors. The columns of each resource are in a package
// of its own (device, fleet, release, …). Their types name the resource and the type of value, so that a query which mixes them up does
// not compile. Neither does one that mixes up ids: [DeviceID] and [FleetID] are different types.
//
// # Writing
//
// Columns that can be written have Set and Clear; [pine.Query.Create], Patch, Delete and Upsert take such assignments. Values that the
// server would refuse are an [InvalidError] before anything is sent. Patch and Delete change all rows of a filter with one request, and
// fail without a filter ([ErrUnfiltered]). Deleting devices, fleets and organizations takes [AllowProtected].
//
//	err := client.Devices().Where(device.Fleet.Eq(fleet), device.IsOnline.Eq(false)).Patch(ctx, device.Note.Set("look after me"))
//
// Common tasks have methods: environments ([Client.DeviceEnv], [Client.EffectiveEnv]), tags ([Client.DeviceTagsOf]), releases
// ([Client.LatestRelease], [Client.PinDevices]), devices ([Client.DeviceByUUID], [Client.MoveDevices]) and logs ([Client.Logs]). Their
// errors name the rows that do not exist.
//
// # Units
//
// Memory and storage are in MiB, temperatures in °C, usage and progress in percent, sizes of images in bytes. Times are the server's, with
// a resolution of milliseconds, except [LogLine].Timestamp. Numbers that a device has not reported are nil, never 0. [Ref] and [Refs] know
// whether they were fetched.
//
// # Sources
//
// What this documentation says about the API was measured on open-balena-api 49 or, where it concerns balenaCloud only, read in balena's
// documentation and in the source of its SDKs.
//
// # Limits of the API
//
// The API does not distinguish rows that do not exist from rows that the credentials cannot see. To bad credentials it shows what is
// public, so that most queries find nothing. A query that finds nothing therefore checks the credentials, at most every five minutes, and
// the error is [ErrUnauthorized] if they are bad; see [WithoutCredentialCheck].
package balenaclient
