package balenasim_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"time"

	"github.com/otelcol-balena/balenareceiver/balenasim"
)

// A test inserts the rows that it needs, runs a client, changes rows, injects a
// fault, and counts requests.
func Example() {
	sim := balenasim.New(balenasim.WithToken("key"))
	fleet, err := sim.Insert("application", map[string]any{"app_name": "pumps", "slug": "acme/pumps"})
	if err != nil {
		fmt.Println(err)
		return
	}
	pump, err := sim.Insert("device", map[string]any{
		"uuid": "0123456789abcdef0123456789abcdef", "device_name": "pump 1",
		"belongs_to__application": fleet, "is_connected_to_vpn": true, "api_heartbeat_state": "online",
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	server := httptest.NewServer(sim)
	defer server.Close()
	ask := func() {
		r, err := http.NewRequest(http.MethodGet, server.URL+"/v7/device?$select=device_name,overall_status", nil)
		if err != nil {
			fmt.Println(err)
			return
		}
		r.Header.Set("Authorization", "Bearer key")
		resp, err := http.DefaultClient.Do(r)
		if err != nil {
			fmt.Println(err)
			return
		}
		defer resp.Body.Close()
		b, _ := io.ReadAll(resp.Body)
		fmt.Println(resp.Status, string(b))
	}
	ask()
	if err := sim.Update("device", pump, map[string]any{"is_connected_to_vpn": false, "api_heartbeat_state": "offline", "last_connectivity_event": time.Now()}); err != nil {
		fmt.Println(err)
	}
	ask()
	if _, err := sim.Inject(balenasim.Fault{Kind: balenasim.RateLimit, Path: "/v7/*", Nth: 1}); err != nil {
		fmt.Println(err)
	}
	ask()
	fmt.Println(sim.Counters().Requests, "requests")
	// Output:
	// 200 OK {"d":[{"device_name":"pump 1","overall_status":"operational"}]}
	// 200 OK {"d":[{"device_name":"pump 1","overall_status":"disconnected"}]}
	// 429 Too Many Requests "Too Many Requests"
	// 3 requests
}

// A test steps a scenario as fast as it wants.
func ExampleSimulator_Play() {
	scenario, err := balenasim.ShippedScenario("rollout")
	if err != nil {
		fmt.Println(err)
		return
	}
	sim := balenasim.New(balenasim.WithSeed(1))
	if err := sim.Play(scenario); err != nil {
		fmt.Println(err)
		return
	}
	sim.Step(time.Hour)
	fmt.Println(sim.Count("device"), "devices,", sim.Count("release"), "releases")
	// Output:
	// 200 devices, 28 releases
}

// A test changes the account, and compares what a program reports with the rows.
func ExampleSimulator_Rows() {
	now := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	sim := balenasim.New(balenasim.WithNow(func() time.Time { return now }))
	fleet, err := sim.Insert("application", map[string]any{"app_name": "pumps", "slug": "acme/pumps"})
	if err != nil {
		panic(err)
	}
	device, err := sim.Insert("device", map[string]any{"device_name": "pump 1", "belongs_to__application": fleet})
	if err != nil {
		panic(err)
	}
	if err := sim.Update("device", device, map[string]any{"is_connected_to_vpn": true, "api_heartbeat_state": "online"}); err != nil {
		panic(err)
	}
	devices, err := sim.Rows("device", "device_name", "overall_status", "last_connectivity_event")
	if err != nil {
		panic(err)
	}
	for _, d := range devices {
		fmt.Println(d["device_name"], d["overall_status"], d["last_connectivity_event"])
	}
	// Output:
	// pump 1 operational 2026-11-22 12:00:00 +0000 UTC
}
