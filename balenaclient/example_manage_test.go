package balenaclient_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log"
	"net/http/httptest"
	"slices"
	"time"

	"github.com/otelcol-balena/balenareceiver/balenaclient"
	"github.com/otelcol-balena/balenareceiver/balenaclient/device"
	"github.com/otelcol-balena/balenareceiver/balenaclient/devicetag"
	"github.com/otelcol-balena/balenareceiver/balenaclient/fleet"
	"github.com/otelcol-balena/balenareceiver/balenaclient/pine"
	"github.com/otelcol-balena/balenareceiver/balenaclient/release"
	"github.com/otelcol-balena/balenareceiver/balenaclient/releasetag"
	"github.com/otelcol-balena/balenareceiver/balenaclient/store"
)

// exampleClient is a client of a server on this machine, which stop ends.
func exampleClient(options ...balenaclient.Option) (client *balenaclient.Client, stop func()) {
	server := exampleServer()
	return clientOf(server, options...), server.Close
}

func clientOf(server *httptest.Server, options ...balenaclient.Option) *balenaclient.Client {
	client, err := balenaclient.New(append([]balenaclient.Option{balenaclient.WithToken("token-of-ada"), balenaclient.WithBaseURL(server.URL),
		balenaclient.WithHTTPClient(server.Client())}, options...)...)
	must(err)
	return client
}

func must(err error) {
	if err != nil {
		log.Fatal(err)
	}
}

// Variables are set for all services of a fleet or device, or for one.
func ExampleClient_DeviceEnv() {
	client, stop := exampleClient()
	defer stop()
	ctx := context.Background()

	must(client.DeviceEnv(1).Set(ctx, "LOG_LEVEL", "debug"))
	must(client.DeviceEnv(1).Service("mqtt").Set(ctx, "PORT", "8883"))
	values, err := client.DeviceEnv(1).Map(ctx)
	must(err)
	fmt.Println(values)

	fmt.Println(client.DeviceEnv(1).Set(ctx, "CERT", "-----BEGIN\nMII…"))
	fmt.Println(client.DeviceEnv(1).Set(ctx, "BALENA_X", "1"))
	fmt.Println(client.DeviceEnv(1).Service("web").Set(ctx, "PORT", "80"))
	// Output:
	// map[DEVICE_ROLE:primary LOG_LEVEL:debug]
	// environment of device 1: device_environment_variable: value of "CERT" has a line break at character 11 of 15: the API does not accept any: encode the value, for example in base64
	// environment of device 1: device_environment_variable: name "BALENA_X" is reserved: choose another name; what begins with BALENA_ or RESIN_ is a configuration variable
	// device 1 has no service "web" (it has main, metrics-agent, mqtt): no such service: not found
}

// What a service sees is what is set nearest to it.
func ExampleClient_EffectiveEnv() {
	client, stop := exampleClient()
	defer stop()
	ctx := context.Background()

	must(client.DeviceEnv(1).Set(ctx, "LOG_LEVEL", "debug"))
	env, err := client.EffectiveEnv(ctx, 1, "main")
	must(err)
	for _, name := range []string{"DEBUG", "LOG_LEVEL", "REGION", "SERVICE_MODE"} {
		fmt.Printf("%s=%s from %s, hides %v\n", name, env[name].Value, env[name].Origin, env[name].Hidden)
	}
	// Output:
	// DEBUG=1 from device service, hides []
	// LOG_LEVEL=debug from device, hides [fleet]
	// REGION=eu-west-1 from fleet, hides []
	// SERVICE_MODE=main-mode from fleet service, hides []
}

// An override goes where the variable is, or says why that is not clear.
func ExampleClient_OverrideEnv() {
	client, stop := exampleClient()
	defer stop()
	ctx := context.Background()

	change, err := client.OverrideEnv(ctx, 1, "REGION", "us-east-1")
	must(err)
	fmt.Println(change.EnvKey, "was", change.Old)
	_, err = client.OverrideEnv(ctx, 1, "SERVICE_MODE", "x")
	var clash *balenaclient.OverrideError
	if errors.As(err, &clash) {
		fmt.Println("set for", clash.Services)
	}
	// Output:
	// REGION was eu-west-1
	// set for [main metrics-agent mqtt]
}

// Environments of fleets and devices are compared and copied.
func ExampleCloneEnv() {
	client, stop := exampleClient()
	defer stop()
	ctx := context.Background()
	lab, sensors := client.FleetEnv(3), client.FleetEnv(4)

	must(lab.Set(ctx, "REGION", "moon"))
	first, err := lab.All(ctx)
	must(err)
	second, err := sensors.All(ctx)
	must(err)
	diff := balenaclient.DiffEnv(first, second)
	fmt.Println("missing", diff.Missing, "extra", diff.Extra, "different", diff.Different)

	done, err := balenaclient.CloneEnv(ctx, lab, sensors)
	must(err)
	fmt.Println("set", done.Different)

	_, err = balenaclient.CloneEnv(ctx, client.FleetEnv(1), sensors)
	fmt.Println(errors.Is(err, balenaclient.ErrNoService), "as the other fleet has more services: nothing was changed")
	// Output:
	// missing [] extra [modbus/SERVICE_MODE] different [REGION]
	// set [REGION]
	// true as the other fleet has more services: nothing was changed
}

// Tags are a map; what has a tag is found by a filter.
func ExampleClient_DeviceTagsOf() {
	client, stop := exampleClient()
	defer stop()
	ctx := context.Background()

	must(client.DeviceTagsOf(2).Set(ctx, "site", "Oslo"))
	site, err := client.DeviceTagsOf(2).Get(ctx, "site")
	must(err)
	fmt.Println(site)

	inOslo := client.Devices().Where(device.Tags.Any(devicetag.Key.Eq("site"), devicetag.Value.Eq("Oslo"))).Select(device.Name)
	for d, err := range inOslo.All(ctx) {
		must(err)
		fmt.Println(d.Name)
	}
	// Output:
	// Oslo
	// warehouse-gateways-01
}

// The whole fleet is pinned but for devices with a keep tag, with one request for the change.
func ExampleClient_PinAllDevices() {
	client, stop := exampleClient()
	defer stop()
	ctx := context.Background()

	must(client.DeviceTagsOf(1).Set(ctx, "canary", ""))
	stable, err := client.ReleaseByVersion(ctx, 1, "1.1.0+rev1")
	must(err)
	n, err := client.PinAllDevices(ctx, stable.ID, balenaclient.ExceptTagged("canary"))
	must(err)
	fmt.Println(n, "of 14 devices pinned")
	n, err = client.UnpinAllDevices(ctx, 1)
	must(err)
	fmt.Println(n, "track the fleet again")
	// Output:
	// 13 of 14 devices pinned
	// 13 track the fleet again
}

// One device is pinned and follows its fleet again; it can only be pinned to what it can run.
func ExampleClient_PinDevices() {
	client, stop := exampleClient()
	defer stop()
	ctx := context.Background()

	latest, err := client.LatestRelease(ctx, 1)
	must(err)
	must(client.PinDevices(ctx, latest.ID, 2))
	d, err := client.Devices().Select(device.PinnedRelease, device.RunningRelease, device.TargetRelease).Get(ctx, 2)
	must(err)
	fmt.Println(latest.RawVersion, "tracking:", d.IsTracking(), "on target:", d.IsOnTarget())
	must(client.UnpinDevices(ctx, 2))

	fmt.Println(client.PinDevices(ctx, 3, 2))
	fmt.Println(errors.Is(client.PinDevices(ctx, latest.ID, 15), balenaclient.ErrWrongFleet))
	// Output:
	// 1.2.0 tracking: false on target: true
	// release 3 (1ff49b7889464e85b59cde66bacfb3d0): invalid: its build is failed, so devices cannot run it: nothing was changed
	// true
}

// A fleet is moved to a release, or follows the latest.
func ExampleClient_TrackLatest() {
	client, stop := exampleClient()
	defer stop()
	ctx := context.Background()

	must(client.PinFleet(ctx, 6))
	must(client.TrackLatest(ctx, 1))
	f, err := client.Fleets().Expand(fleet.TargetRelease.With(pine.Select(release.RawVersion))).Get(ctx, 1)
	must(err)
	target, _ := f.TargetRelease.Row()
	fmt.Println(target.RawVersion, f.TracksLatestRelease)
	// Output: 1.2.0 true
}

// Devices are found by UUID or its beginning, or by a name that is theirs alone.
func ExampleClient_DeviceByUUID() {
	client, stop := exampleClient()
	defer stop()
	ctx := context.Background()

	d, err := client.DeviceByUUID(ctx, "827050a")
	must(err)
	fmt.Println(d.Name)
	_, err = client.DeviceByUUID(ctx, "82705x")
	fmt.Println(err)
	_, err = client.DeviceByUUID(ctx, "7")
	fmt.Println(err)
	// Output:
	// warehouse-gateways-00
	// device: uuid "82705x" is not a UUID: it has 32 or 62 hexadecimal digits; the first ones suffice if they are unique
	// device with UUID 7…: more than one found: 7552332702624f7392922f83ef8c485b, 7131626971184364b7097749527eecfa, 7631de9ddde94863a2bd33886db99102: give more digits
}

// Devices move to another fleet; what is set for services is taken along by hand.
func ExampleClient_MoveDevices() {
	client, stop := exampleClient()
	defer stop()
	ctx := context.Background()

	must(client.MoveDevices(ctx, 5, 10, 11))
	must(client.RenameDevice(ctx, 10, "moved"))
	must(client.SetDeviceNote(ctx, 10, "by Ada"))
	n, err := client.Devices().Where(device.Fleet.Where(fleet.Slug.Eq("acme/empty-fleet"))).Count(ctx)
	must(err)
	fmt.Println(n)
	fmt.Println(client.MoveDevices(ctx, 5, 12, 999))
	// Output:
	// 2
	// device 999: not found: nothing was changed
}

// Many rows are changed with one request, and never all by mistake.
func Example_bulk() {
	client, stop := exampleClient()
	defer stop()
	ctx := context.Background()

	offline := client.Devices().Where(device.Fleet.Eq(1), device.IsOnline.Eq(false))
	must(offline.Patch(ctx, device.Note.Set("look after me")))
	n, err := client.Devices().Where(device.Note.Eq("look after me")).Count(ctx)
	must(err)
	fmt.Println(n)

	fmt.Println(client.Devices().Patch(ctx, device.Note.Clear()))
	fmt.Println(client.Devices().Where(device.Name.Eq("nobody")).MustMatch().Patch(ctx, device.Note.Clear()))
	fmt.Println(offline.Delete(ctx)) // pine.AllowProtected() would delete the devices
	// Output:
	// 3
	// pine: PATCH of device: no filter: it would affect every row; add a Where filter
	// device: not found: no row matches the filter, nothing was changed
	// pine: device: protected: use AllowProtected to delete rows
}

// Rows are made of what is assigned; fields that cannot be written have no Set.
func Example_create() {
	client, stop := exampleClient()
	defer stop()
	ctx := context.Background()

	tag, err := client.ReleaseTags().Create(ctx, releasetag.Release.Set(8), releasetag.Key.Set("ticket"), releasetag.Value.Set("X-1"))
	must(err)
	fmt.Println(tag.Key, tag.Value)
	_, err = client.ReleaseTags().Create(ctx, releasetag.Release.Set(8), releasetag.Key.Set("ticket"), releasetag.Value.Set("X-2"))
	fmt.Println(errors.Is(err, balenaclient.ErrConflict), err)
	tag, err = client.ReleaseTags().Upsert(ctx, releasetag.ByReleaseAndKey(8, "ticket"), releasetag.Value.Set("X-2"))
	must(err)
	fmt.Println(tag.Value)
	// Output:
	// ticket X-1
	// true POST /v7/release_tag: 409 Conflict: "release" and "tag_key" must be unique.
	// X-2
}

// The lines that the server keeps are read at once; new ones are streamed, for as long as wanted, across interruptions.
func ExampleLogs_Stream() {
	client, stop := exampleClient()
	defer stop()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Millisecond)
	defer cancel()

	logs := client.Logs("827050a823694584bf5e9ff0ff50bde4")
	lines, err := logs.History(ctx, balenaclient.Since(time.Now().Add(-time.Hour)))
	must(err)
	fmt.Println(len(lines), "lines")
	for line, err := range logs.Stream(ctx, balenaclient.Newest(100)) {
		if err != nil { // always the last
			fmt.Println(err)
			break
		}
		fmt.Println(line.Timestamp, line.Message)
	}
	// Output:
	// 0 lines
	// context deadline exceeded
}

// A store holds the rows of queries and says what changed.
func Example_store() {
	client, stop := exampleClient()
	defer stop()
	ctx := context.Background()

	s := store.New()
	devices, err := store.Keep(s, client.Devices().Where(device.Fleet.Eq(1)).Select(device.Name, device.RunningRelease))
	must(err)
	releases, err := store.Keep(s, client.Releases().Where(release.Fleet.Eq(1)).Select(release.RawVersion))
	must(err)
	must(s.Refresh(ctx))

	must(client.RenameDevice(ctx, 1, "renamed"))
	must(client.MoveDevices(ctx, 2, 3))
	changes, err := devices.Refresh(ctx)
	must(err)
	for _, change := range changes.Changed {
		version, _ := releases.Resolve(change.New.RunningRelease)
		fmt.Println(change.Old.Name, "->", change.New.Name, change.Fields, "runs", version.RawVersion)
		fmt.Println(slices.Contains(change.Fields, string(device.Name)))
	}
	fmt.Println(changes.Removed[0].Name, "has left")
	// Output:
	// warehouse-gateways-00 -> renamed [device_name] runs 1.1.0+rev1
	// true
	// warehouse-gateways-02 has left
}

// What this package does not know is read into a type of one's own.
func ExampleRaw() {
	client, stop := exampleClient()
	defer stop()
	ctx := context.Background()

	type row struct {
		Name   string `json:"device_name"`
		Images int    `json:"image_install"`
	}
	rows, err := balenaclient.Raw[row](ctx, client, "device?$select=device_name&$expand=image_install/$count&$filter=device_name eq "+
		pine.Quote("warehouse-gateways-00"))
	must(err)
	fmt.Println(rows[0].Name, rows[0].Images > 0)
	// Output: warehouse-gateways-00 true
}

// A query keeps its filters when its rows are read into a type with more fields, or with all others in a map.
func Example_extra() {
	client, stop := exampleClient()
	defer stop()

	type row struct {
		balenaclient.Device
		APIPort *int64                     `json:"api_port"` // a column that Device does not know
		Extra   map[string]json.RawMessage `pine:"extra"`    // and all others
	}
	rows := pine.As[row](client.Devices().Where(device.UUID.Eq("827050a823694584bf5e9ff0ff50bde4")))
	for d, err := range rows.All(context.Background()) {
		must(err)
		fmt.Println(d.Name, d.APIPort != nil, string(d.Extra["is_managed_by__service_instance"]))
	}
	// Output: warehouse-gateways-00 true {"__id":1}
}

// An observer sees what each request cost.
func ExampleWithObserver() {
	client, stop := exampleClient(balenaclient.WithObserver(func(c balenaclient.Call) {
		fmt.Println(c.Method, c.Resource, c.Status, "attempts:", c.Attempts, "rows:", c.Rows, c.Bytes > 0, c.Duration > 0, c.Err)
	}))
	defer stop()
	_, err := client.Devices().Select(device.Name).List(context.Background())
	must(err)
	// Output: GET device 200 attempts: 1 rows: 42 true true <nil>
}

// Errors are told apart by what they mean.
func Example_errors() {
	client, stop := exampleClient()
	defer stop()
	ctx := context.Background()

	_, err := client.FleetBySlug(ctx, "acme/nothing")
	fmt.Println(errors.Is(err, balenaclient.ErrNotFound), err)
	_, err = client.DeviceTags().Create(ctx, devicetag.Device.Set(999), devicetag.Key.Set("site"), devicetag.Value.Set("Oslo"))
	var failure *balenaclient.Error
	if errors.As(err, &failure) {
		fmt.Println(failure.Status, failure.Message, failure.Attempts)
	}
	// Output:
	// true fleet "acme/nothing": application(slug='acme/nothing'): not found
	// 409 Data is referenced by device. 1
}
