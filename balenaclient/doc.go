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
// # Writing
//
// What can be written has Set and Clear; [pine.Query.Create], Patch, Delete and Upsert take such assignments. Values that the server
// would refuse are refused before they are sent, by [InvalidError]. Patch and Delete are one request for all rows of a filter, and
// refuse to run without one ([ErrUnfiltered]). Devices, fleets and organizations are deleted only with [pine.AllowProtected].
//
//	err := client.Devices().Where(device.Fleet.Eq(fleet), device.IsOnline.Eq(false)).Patch(ctx, device.Note.Set("look after me"))
//
// Methods for what people do most stand on these: environments ([Client.DeviceEnv], [Client.EffectiveEnv]), tags
// ([Client.DeviceTagsOf]), releases ([Client.LatestRelease], [Client.PinDevices]), devices ([Client.DeviceByUUID], [Client.MoveDevices])
// and logs ([Client.Logs]). They take ids, and say which of them do not exist.
//
// # Units
//
// Memory and storage are in MiB, temperatures in °C, loads and progress in percent, sizes of images in bytes. Times are those of the
// server, cut to milliseconds, but for [LogLine].Timestamp. Numbers that a device has not reported are nil, never 0.
//
// # Where the facts come from
//
// What this documentation says of the API was measured on open-balena-api 49 or, where it concerns balenaCloud only, read in
// balena's documentation and in the sources of its SDKs.
//
// # What the API does not tell
//
// A resource that does not exist and one that the credentials do not reach look alike: both are an empty list. Worse, wrong or
// expired credentials are answered with the public rows on most resources, fleets among them, and refused on devices only. To know
// whether credentials are good, ask [Client.WhoAmI].
package balenaclient
