package balenaclient_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"time"

	"github.com/otelcol-balena/balenareceiver/balenaclient"
	"github.com/otelcol-balena/balenareceiver/balenaclient/device"
	"github.com/otelcol-balena/balenareceiver/balenaclient/fleet"
	"github.com/otelcol-balena/balenareceiver/balenaclient/release"
	"github.com/otelcol-balena/balenareceiver/balenaclient/store"
)

// List the offline devices of a fleet, and the release that each runs.
func Example() {
	ctx := context.Background()
	client, err := balenaclient.New(balenaclient.WithEnvironment())
	if err != nil {
		log.Fatal(err)
	}
	offline := client.Devices().
		Where(device.Fleet.Where(fleet.Slug.Eq("acme/edge-cameras")), device.IsOnline.Eq(false)).
		Select(device.Name).
		Expand(device.RunningRelease.With(release.Select(release.RawVersion)))
	for d, err := range offline.All(ctx) {
		if err != nil {
			log.Fatal(err)
		}
		r, _ := d.RunningRelease.Row()
		fmt.Printf("%s runs %q\n", d.Name, r.RawVersion)
	}
	// Output:
	// edge-cameras-04 runs "1.1.0+rev1"
	// edge-cameras-07 runs "1.2.0"
	// edge-cameras-08 runs ""
}

// Set a variable at each level.
func Example_variables() {
	ctx := context.Background()
	client, err := balenaclient.New(balenaclient.WithEnvironment())
	if err != nil {
		log.Fatal(err)
	}
	d, err := client.DeviceByName(ctx, "lab-nucs-01")
	if err != nil {
		log.Fatal(err)
	}
	fleetEnv, deviceEnv := client.FleetEnv(d.Fleet.ID), client.DeviceEnv(d.ID)
	for _, env := range []balenaclient.Env{fleetEnv, fleetEnv.Service("main"), deviceEnv, deviceEnv.Service("main")} {
		if err := env.Set(ctx, "GREETING", "hello"); err != nil {
			log.Fatal(err)
		}
		fmt.Println(env)
	}
	// Output:
	// environment of fleet 3
	// environment of fleet 3, service "main"
	// environment of device 28
	// environment of device 28, service "main"
}

// Move a device to another fleet and pin it there.
func Example_moveAndPin() {
	ctx := context.Background()
	client, err := balenaclient.New(balenaclient.WithEnvironment())
	if err != nil {
		log.Fatal(err)
	}
	d, err1 := client.DeviceByName(ctx, "edge-cameras-11")
	f, err2 := client.FleetBySlug(ctx, "acme/warehouse-gateways")
	r, err3 := client.ReleaseByVersion(ctx, f.ID, "1.1.0+rev1")
	if err := errors.Join(err1, err2, err3); err != nil {
		log.Fatal(err)
	}
	if err := client.MoveDevices(ctx, f.ID, d.ID); err != nil {
		log.Fatal(err)
	}
	if err := client.PinDevices(ctx, r.ID, d.ID); err != nil {
		log.Fatal(err)
	}
	fmt.Println(d, "is in", f, "and pinned to", r)
	// Output: edge-cameras-11 is in acme/warehouse-gateways and pinned to 1.1.0+rev1
}

// Stream logs, also while the server restarts.
func Example_logs() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	client, err := balenaclient.New(balenaclient.WithEnvironment())
	if err != nil {
		log.Fatal(err)
	}
	d, err := client.DeviceByName(ctx, "warehouse-gateways-00")
	if err != nil {
		log.Fatal(err)
	}
	for line, err := range client.Logs(d.UUID).Stream(ctx, balenaclient.Newest(10)) {
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(line.Message)
		if line.Message == "log line 3" {
			break
		}
	}
	// Output:
	// log line 1
	// log line 2
	// log line 3
}

// Keep a group of devices fresh, and see what changes.
func Example_store() {
	ctx := context.Background()
	client, err := balenaclient.New(balenaclient.WithEnvironment())
	if err != nil {
		log.Fatal(err)
	}
	devices, err := store.Keep(store.New(), client.Devices().Where(device.Name.StartsWith("solar-")).Select(device.Name))
	if err != nil {
		log.Fatal(err)
	}
	for range 2 {
		changes, err := devices.Refresh(ctx)
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(len(changes.Added), "added,", len(changes.Changed), "changed,", len(changes.Removed), "removed")
		if err := client.RenameDevice(ctx, 37, "solar-roof"); err != nil {
			log.Fatal(err)
		}
	}
	fmt.Println(devices)
	// Output:
	// 6 added, 0 changed, 0 removed
	// 0 added, 1 changed, 0 removed
	// [solar-roof solar-sensors-01 solar-sensors-02 solar-sensors-03 solar-sensors-04 solar-sensors-05]
}

// Compute the variables that a service sees.
func Example_effectiveEnv() {
	ctx := context.Background()
	client, err := balenaclient.New(balenaclient.WithEnvironment())
	if err != nil {
		log.Fatal(err)
	}
	d, err := client.DeviceByUUID(ctx, "827050a")
	if err != nil {
		log.Fatal(err)
	}
	env, err := client.EffectiveEnv(ctx, d.ID, "main")
	if err != nil {
		log.Fatal(err)
	}
	for _, name := range []string{"DEBUG", "REGION", "SERVICE_MODE"} {
		fmt.Printf("%s=%s is set for the %s\n", name, env[name].Value, env[name].Origin)
	}
	// Output:
	// DEBUG=1 is set for the device service
	// REGION=eu-west-1 is set for the fleet
	// SERVICE_MODE=main-mode is set for the fleet service
}

// Delete the devices of a fleet that never connected.
func Example_delete() {
	ctx := context.Background()
	client, err := balenaclient.New(balenaclient.WithEnvironment())
	if err != nil {
		log.Fatal(err)
	}
	never := client.Devices().Where(device.Fleet.Where(fleet.Slug.Eq("globex/lab-nucs")), device.LastConnectivityEvent.IsNull())
	n, err := never.Count(ctx)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(n, "never connected")
	fmt.Println(never.Delete(ctx))
	fmt.Println(never.Delete(ctx, balenaclient.AllowProtected()))
	// Output:
	// 2 never connected
	// pine: device: protected: use AllowProtected to delete rows
	// <nil>
}

// Handle each error.
func Example_errors() {
	ctx := context.Background()
	client, err := balenaclient.New(balenaclient.WithEnvironment(), balenaclient.WithToken("revoked"))
	if err != nil {
		log.Fatal(err)
	}
	var failure *balenaclient.Error
	switch _, err := client.DeviceByName(ctx, "kiosk"); {
	case err == nil:
		fmt.Println("found")
	case errors.Is(err, balenaclient.ErrNotFound), errors.Is(err, balenaclient.ErrNotUnique):
		fmt.Println("ask by UUID:", err)
	case errors.Is(err, balenaclient.ErrUnauthorized):
		fmt.Println("log in again:", err)
	case errors.Is(err, balenaclient.ErrRateLimited) && errors.As(err, &failure):
		fmt.Println("retry in", failure.RetryAfter)
	case errors.As(err, &failure) && failure.Temporary():
		fmt.Println("retry later:", err)
	default:
		log.Fatal(err)
	}
	// Output: log in again: device named "kiosk": GET /v7/device: 401 Unauthorized
}
