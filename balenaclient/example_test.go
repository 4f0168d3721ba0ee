package balenaclient_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"net/http/httptest"
	"os"

	"github.com/otelcol-balena/balenareceiver/balenaclient"
	"github.com/otelcol-balena/balenareceiver/balenaclient/device"
	"github.com/otelcol-balena/balenareceiver/balenaclient/fleet"
	"github.com/otelcol-balena/balenareceiver/balenaclient/pine"
	"github.com/otelcol-balena/balenareceiver/balenaclient/release"
	"github.com/otelcol-balena/balenareceiver/balenasim"
)

// exampleServer serves the rows of a real server on this machine, to the token "token-of-ada".
func exampleServer() *httptest.Server {
	sim := balenasim.New(balenasim.WithToken("token-of-ada"))
	if err := sim.Load(os.DirFS("../testdata/conformance/dataset")); err != nil {
		log.Fatal(err)
	}
	return httptest.NewServer(sim)
}

func Example() {
	server := exampleServer()
	defer server.Close()
	client, err := balenaclient.New(
		balenaclient.WithToken("token-of-ada"),
		balenaclient.WithBaseURL(server.URL), // balenaCloud if it is left out
		balenaclient.WithHTTPClient(server.Client()),
	)
	if err != nil {
		log.Fatal(err)
	}
	offline := client.Devices().
		Where(device.Fleet.Where(fleet.Slug.Eq("acme/edge-cameras")), device.IsOnline.Eq(false)).
		Select(device.Name).
		Expand(device.RunningRelease.With(pine.Select(release.RawVersion)))
	for d, err := range offline.All(context.Background()) {
		if err != nil {
			log.Fatal(err)
		}
		version := "nothing"
		if r, ok := d.RunningRelease.Row(); ok {
			version = r.RawVersion
		}
		fmt.Println(d.Name, "runs", version)
	}
	// Output:
	// edge-cameras-04 runs 1.1.0+rev1
	// edge-cameras-07 runs 1.2.0
	// edge-cameras-08 runs nothing
}

// How many devices of each fleet are online takes one request.
func ExampleClient_AccessibleFleets() {
	server := exampleServer()
	defer server.Close()
	client, err := balenaclient.New(balenaclient.WithToken("token-of-ada"), balenaclient.WithBaseURL(server.URL), balenaclient.WithHTTPClient(server.Client()))
	if err != nil {
		log.Fatal(err)
	}
	fleets, err := client.AccessibleFleets().
		Where(fleet.Class.Eq("fleet"), fleet.IsHost.Eq(false), fleet.IsArchived.Eq(false)).
		Select(fleet.Slug).
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
	server := exampleServer()
	defer server.Close()
	client, err := balenaclient.New(balenaclient.WithToken("expired"), balenaclient.WithBaseURL(server.URL), balenaclient.WithHTTPClient(server.Client()))
	if err != nil {
		log.Fatal(err)
	}
	_, err = client.WhoAmI(context.Background())
	fmt.Println(errors.Is(err, balenaclient.ErrUnauthorized), err)
	// Output: true GET /actor/v1/whoami: 401 Unauthorized
}
