package balenaclient_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log"

	"github.com/otelcol-balena/balenareceiver/balenaclient"
	"github.com/otelcol-balena/balenareceiver/balenaclient/device"
	"github.com/otelcol-balena/balenareceiver/balenaclient/devicetag"
	"github.com/otelcol-balena/balenareceiver/balenaclient/fleet"
	"github.com/otelcol-balena/balenareceiver/balenaclient/releasetag"
)

// Count the online devices of each fleet with one request.
func ExampleClient_Fleets() {
	client, err := balenaclient.New(balenaclient.WithEnvironment())
	if err != nil {
		log.Fatal(err)
	}
	fleets, err := client.Fleets().
		Where(fleet.Class.Eq("fleet"), fleet.IsHost.Eq(false)).
		Expand(fleet.Devices.Count(device.IsOnline.Eq(true))).
		List(context.Background())
	if err != nil {
		log.Fatal(err)
	}
	for _, f := range fleets {
		fmt.Println(f.Slug, f.Devices.Count)
	}
	// Output:
	// acme/warehouse-gateways 11
	// acme/edge-cameras 9
	// globex/lab-nucs 7
	// globex/solar-sensors 5
	// acme/empty-fleet 0
}

func ExampleClient_WhoAmI() {
	client, err := balenaclient.New(balenaclient.WithEnvironment(), balenaclient.WithToken("expired"))
	if err != nil {
		log.Fatal(err)
	}
	_, err = client.WhoAmI(context.Background())
	fmt.Println(errors.Is(err, balenaclient.ErrUnauthorized), err)
	// Output: true GET /actor/v1/whoami: 401 Unauthorized
}

// A finder can select columns and expand links.
func ExampleClient_FleetBySlug() {
	client, err := balenaclient.New(balenaclient.WithEnvironment())
	if err != nil {
		log.Fatal(err)
	}
	f, err := client.FleetBySlug(context.Background(), "acme/edge-cameras",
		fleet.Select(fleet.Name).Expand(fleet.Devices.With(device.Where(device.IsOnline.Eq(false)).OrderBy(device.Name.Asc()))))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(f.Name, f.Devices.Rows)
	// Output: edge-cameras [edge-cameras-04 edge-cameras-07 edge-cameras-08]
}

// Devices are found by UUID or its first digits.
func ExampleClient_DeviceByUUID() {
	client, err := balenaclient.New(balenaclient.WithEnvironment())
	if err != nil {
		log.Fatal(err)
	}
	for _, uuid := range []string{"827050a", "7", "82705x"} {
		d, err := client.DeviceByUUID(context.Background(), uuid)
		fmt.Println(d.Name, err)
	}
	// Output:
	// warehouse-gateways-00 <nil>
	//  device with UUID 7…: more than one found: 7552332702624f7392922f83ef8c485b, 7131626971184364b7097749527eecfa, 7631de9ddde94863a2bd33886db99102: give more digits
	//  device: uuid "82705x" is not a UUID: it has 32 or 62 hexadecimal digits; the first ones suffice if they are unique
}

// What the API would refuse is an error before anything is sent.
func ExampleClient_DeviceEnv() {
	ctx := context.Background()
	client, err := balenaclient.New(balenaclient.WithEnvironment())
	if err != nil {
		log.Fatal(err)
	}
	env := client.DeviceEnv(2)
	fmt.Println(env.Set(ctx, "LOG_LEVEL", "debug"))
	fmt.Println(env.Service("mqtt").Set(ctx, "PORT", "8883"))
	fmt.Println(env.Map(ctx))

	fmt.Println(env.Set(ctx, "CERT", "-----BEGIN\nMII…"))
	fmt.Println(env.Set(ctx, "BALENA_X", "1"))
	fmt.Println(env.Service("web").Set(ctx, "PORT", "80"))
	// Output:
	// <nil>
	// <nil>
	// map[LOG_LEVEL:debug] <nil>
	// environment of device 2: device_environment_variable: value of "CERT" has a line break at character 11 of 15: the API does not accept any: encode the value, for example in base64
	// environment of device 2: device_environment_variable: name "BALENA_X" is reserved: choose another name; what begins with BALENA_ or RESIN_ is a configuration variable
	// device 2 has no service "web" (it has main, metrics-agent, mqtt): no such service: not found
}

// An override is set at the level where the variable is.
func ExampleClient_OverrideEnv() {
	ctx := context.Background()
	client, err := balenaclient.New(balenaclient.WithEnvironment())
	if err != nil {
		log.Fatal(err)
	}
	change, err := client.OverrideEnv(ctx, 3, "REGION", "us-east-1")
	fmt.Println(change.EnvKey, "was", change.Old, err)

	var clash *balenaclient.OverrideError
	if _, err = client.OverrideEnv(ctx, 3, "SERVICE_MODE", "x"); errors.As(err, &clash) {
		fmt.Println("set for", clash.Services)
	}
	// Output:
	// REGION was eu-west-1 <nil>
	// set for [main metrics-agent mqtt]
}

// Compare the environments of two fleets, and copy one to the other.
func ExampleCloneEnv() {
	ctx := context.Background()
	client, err := balenaclient.New(balenaclient.WithEnvironment())
	if err != nil {
		log.Fatal(err)
	}
	lab, sensors := client.FleetEnv(3), client.FleetEnv(4)
	if err := lab.Set(ctx, "REGION", "moon"); err != nil {
		log.Fatal(err)
	}
	first, err1 := lab.All(ctx)
	second, err2 := sensors.All(ctx)
	if err := errors.Join(err1, err2); err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%+v\n", balenaclient.DiffEnv(first, second))
	done, err := balenaclient.CloneEnv(ctx, lab, sensors)
	fmt.Printf("%+v %v\n", done, err)
	// Output:
	// {Missing:[] Extra:[modbus/SERVICE_MODE] Different:[REGION]}
	// {Missing:[] Extra:[] Different:[REGION]} <nil>
}

// Tags are a map; devices are found by their tags.
func ExampleClient_DeviceTagsOf() {
	ctx := context.Background()
	client, err := balenaclient.New(balenaclient.WithEnvironment())
	if err != nil {
		log.Fatal(err)
	}
	if err := client.DeviceTagsOf(4).Set(ctx, "site", "Oslo"); err != nil {
		log.Fatal(err)
	}
	fmt.Println(client.DeviceTagsOf(4).Get(ctx, "site"))
	fmt.Println(client.Devices().Where(device.Tags.Any(devicetag.Key.Eq("site"), devicetag.Value.Contains("slo"))).List(ctx))
	// Output:
	// Oslo <nil>
	// [warehouse-gateways-03] <nil>
}

// Pin a whole fleet except for devices with a tag.
func ExampleClient_PinAllDevices() {
	ctx := context.Background()
	client, err := balenaclient.New(balenaclient.WithEnvironment())
	if err != nil {
		log.Fatal(err)
	}
	if err := client.DeviceTagsOf(38).Set(ctx, "canary", ""); err != nil {
		log.Fatal(err)
	}
	fmt.Println(client.PinAllDevices(ctx, 33, balenaclient.ExceptTagged("canary")))
	fmt.Println(client.UnpinAllDevices(ctx, 4))
	// Output:
	// 5 <nil>
	// 5 <nil>
}

// A device can be pinned only to a release that it can run.
func ExampleClient_PinDevices() {
	ctx := context.Background()
	client, err := balenaclient.New(balenaclient.WithEnvironment())
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(client.PinDevices(ctx, 8, 6))
	fmt.Println(client.PinDevices(ctx, 3, 6))
	fmt.Println(errors.Is(client.PinDevices(ctx, 8, 15), balenaclient.ErrWrongFleet))

	d, err := client.Devices().Select(device.PinnedRelease, device.RunningRelease, device.TargetRelease).Get(ctx, 6)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(d.IsTracking())
	fmt.Println(d.IsOnTarget())
	// Output:
	// <nil>
	// release 3 (1ff49b7889464e85b59cde66bacfb3d0): invalid: its build is failed, so devices cannot run it: nothing was changed
	// true
	// false true
	// true true
}

// Change many rows with one request, and never all by mistake.
func Example_bulk() {
	ctx := context.Background()
	client, err := balenaclient.New(balenaclient.WithEnvironment())
	if err != nil {
		log.Fatal(err)
	}
	offline := client.Devices().Where(device.Fleet.Eq(1), device.IsOnline.Eq(false))
	fmt.Println(offline.Patch(ctx, device.Note.Set("look after me")))
	fmt.Println(client.Devices().Where(device.Note.Eq("look after me")).Count(ctx))

	fmt.Println(client.Devices().Patch(ctx, device.Note.Clear()))
	fmt.Println(client.Devices().Where(device.Name.Eq("nobody")).MustMatch().Patch(ctx, device.Note.Clear()))
	// Output:
	// <nil>
	// 3 <nil>
	// pine: PATCH of device: no filter: it would affect every row; add a Where filter
	// device: not found: no row matches the filter, nothing was changed
}

// Create a row, or change it if it is there.
func Example_create() {
	ctx := context.Background()
	client, err := balenaclient.New(balenaclient.WithEnvironment())
	if err != nil {
		log.Fatal(err)
	}
	tag, err := client.ReleaseTags().Create(ctx, releasetag.Release.Set(8), releasetag.Key.Set("ticket"), releasetag.Value.Set("X-1"))
	fmt.Println(tag.Key, tag.Value, err)
	_, err = client.ReleaseTags().Create(ctx, releasetag.Release.Set(8), releasetag.Key.Set("ticket"), releasetag.Value.Set("X-2"))
	fmt.Println(errors.Is(err, balenaclient.ErrConflict), err)
	tag, err = client.ReleaseTags().Upsert(ctx, releasetag.ByReleaseAndKey(8, "ticket"), releasetag.Value.Set("X-2"))
	fmt.Println(tag.Key, tag.Value, err)
	// Output:
	// ticket X-1 <nil>
	// true POST /v7/release_tag: 409 Conflict: "release" and "tag_key" must be unique.
	// ticket X-2 <nil>
}

// Run a query written by hand, into a type of your own.
func ExampleRaw() {
	client, err := balenaclient.New(balenaclient.WithEnvironment())
	if err != nil {
		log.Fatal(err)
	}
	type row struct {
		Name   string `json:"device_name"`
		Images int    `json:"image_install"`
	}
	rows, err := balenaclient.Raw[row](context.Background(), client,
		"device?$select=device_name&$expand=image_install/$count&$filter=device_name eq "+balenaclient.Quote("warehouse-gateways-00"))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(rows[0].Name, rows[0].Images > 0)
	// Output: warehouse-gateways-00 true
}

// Read columns that the client does not know.
func ExampleAs() {
	client, err := balenaclient.New(balenaclient.WithEnvironment())
	if err != nil {
		log.Fatal(err)
	}
	type row struct {
		balenaclient.Device
		APIPort *int64                     `json:"api_port"`
		Others  map[string]json.RawMessage `pine:"extra"`
	}
	for d, err := range balenaclient.As[row](client.Devices().Where(device.ID.Eq(1))).All(context.Background()) {
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(d.Name, d.APIPort != nil, string(d.Others["is_managed_by__service_instance"]))
	}
	// Output: warehouse-gateways-00 true {"__id":1}
}

// Observe the cost of each request.
func ExampleWithObserver() {
	client, err := balenaclient.New(balenaclient.WithEnvironment(), balenaclient.WithObserver(func(c balenaclient.Call) {
		fmt.Println(c.Method, c.Resource, c.Status, "attempts:", c.Attempts, "rows:", c.Rows)
	}))
	if err != nil {
		log.Fatal(err)
	}
	if _, err := client.Devices().Where(device.Name.StartsWith("edge-cameras-0")).List(context.Background()); err != nil {
		log.Fatal(err)
	}
	// Output: GET device 200 attempts: 1 rows: 10
}
