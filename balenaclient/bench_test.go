package balenaclient_test

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/otelcol-balena/balenareceiver/balenaclient"
	"github.com/otelcol-balena/balenareceiver/balenaclient/pine"
)

// devicesResponse is a response with n real devices.
func devicesResponse(tb testing.TB, n int) []byte {
	tb.Helper()
	data, err := os.ReadFile("../testdata/conformance/dataset/device.json")
	require.NoError(tb, err)
	var rows []map[string]any
	require.NoError(tb, json.Unmarshal(data, &rows))
	many := make([]json.RawMessage, n)
	for i := range many {
		row := rows[i%len(rows)]
		row["id"] = i + 1
		many[i], err = json.Marshal(row)
		require.NoError(tb, err)
	}
	response, err := json.Marshal(map[string]any{"d": many})
	require.NoError(tb, err)
	return response
}

// devicePages divides a response into pages.
func devicePages(tb testing.TB, response []byte) (pages [][]byte) {
	tb.Helper()
	var all struct{ D []json.RawMessage }
	require.NoError(tb, json.Unmarshal(response, &all))
	for rows := range slices.Chunk(all.D, pine.DefaultPageSize) {
		page, err := json.Marshal(map[string]any{"d": rows})
		require.NoError(tb, err)
		pages = append(pages, page)
	}
	return pages
}

// BenchmarkDecodeDevices compares the client, on 10,000 devices with all columns, with what one would write by hand, and with
// how einride/balena-go v6 decodes: the complete body at once, into values. That module could not be fetched, so its way is implemented anew here.
func BenchmarkDecodeDevices(b *testing.B) {
	const n = 10_000
	response := devicesResponse(b, n)
	run := func(name string, fetch func() (int, error)) {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(response)))
			b.ReportAllocs()
			for b.Loop() {
				got, err := fetch()
				if err != nil || got != n {
					b.Fatal(got, err)
				}
			}
		})
	}
	pages := devicePages(b, response)
	client, err := balenaclient.New(balenaclient.WithoutToken(), balenaclient.WithHTTPClient(&http.Client{Transport: roundTripFunc(
		func(r *http.Request) (*http.Response, error) {
			page := []byte(`{"d":[]}`)
			last := 0
			if _, after, found := strings.Cut(r.URL.RawQuery, "id%20gt%20"); found {
				digits, _, _ := strings.Cut(after, "&")
				last, _ = strconv.Atoi(digits)
			}
			if i := last / pine.DefaultPageSize; i < len(pages) {
				page = pages[i]
			}
			return &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Body: io.NopCloser(bytes.NewReader(page)), Request: r}, nil
		},
	)}))
	require.NoError(b, err)
	run("client", func() (int, error) {
		rows := 0
		for _, err := range client.Devices().All(b.Context()) {
			if err != nil {
				return rows, err
			}
			rows++
		}
		return rows, nil
	})
	run("encoding-json-loop", func() (int, error) {
		decoder := json.NewDecoder(bytes.NewReader(response))
		for range 3 { // {"d":[
			if _, err := decoder.Token(); err != nil {
				return 0, err
			}
		}
		rows := 0
		for decoder.More() {
			var row plainDevice
			if err := decoder.Decode(&row); err != nil {
				return rows, err
			}
			rows++
		}
		return rows, nil
	})
	run("einride-way", func() (int, error) {
		body, err := io.ReadAll(bytes.NewReader(response))
		if err != nil {
			return 0, err
		}
		var page struct {
			D []*plainDevice `json:"d"`
		}
		err = json.Unmarshal(body, &page)
		return len(page.D), err
	})
}

// plainDevice is what one writes by hand: values instead of pointers, in which null reads as 0, and an id for each link. Its fields are
// the columns that einride/balena-go reads too, and those that Device has by default.
type plainDevice struct {
	ID                    int64     `json:"id"`
	UUID                  string    `json:"uuid"`
	Name                  string    `json:"device_name"`
	CreatedAt             time.Time `json:"created_at"`
	ModifiedAt            time.Time `json:"modified_at"`
	Fleet                 plainRef  `json:"belongs_to__application"`
	DeviceType            plainRef  `json:"is_of__device_type"`
	IsOnline              bool      `json:"is_online"`
	LastConnectivityEvent time.Time `json:"last_connectivity_event"`
	IsConnectedToVPN      bool      `json:"is_connected_to_vpn"`
	LastVPNEvent          time.Time `json:"last_vpn_event"`
	HeartbeatState        string    `json:"api_heartbeat_state"`
	HeartbeatChangedAt    time.Time `json:"changed_api_heartbeat_state_on__date"`
	OverallStatus         string    `json:"overall_status"`
	OverallProgress       int64     `json:"overall_progress"`
	Status                string    `json:"status"`
	ProvisioningState     string    `json:"provisioning_state"`
	ProvisioningProgress  int64     `json:"provisioning_progress"`
	DownloadProgress      int64     `json:"download_progress"`
	UpdateStatus          string    `json:"update_status"`
	LastUpdateStatusEvent time.Time `json:"last_update_status_event"`
	RunningRelease        plainRef  `json:"is_running__release"`
	TargetRelease         plainRef  `json:"should_be_running__release"`
	PinnedRelease         plainRef  `json:"is_pinned_on__release"`
	TargetOS              plainRef  `json:"should_be_operated_by__release"`
	TargetSupervisor      plainRef  `json:"should_be_managed_by__release"`
	OSVersion             string    `json:"os_version"`
	OSVariant             string    `json:"os_variant"`
	SupervisorVersion     string    `json:"supervisor_version"`
	MemoryUsage           int64     `json:"memory_usage"`
	MemoryTotal           int64     `json:"memory_total"`
	StorageUsage          int64     `json:"storage_usage"`
	StorageTotal          int64     `json:"storage_total"`
	StorageBlockDevice    string    `json:"storage_block_device"`
	CPUUsage              int64     `json:"cpu_usage"`
	CPUTemp               int64     `json:"cpu_temp"`
	CPUID                 string    `json:"cpu_id"`
	IsUndervolted         bool      `json:"is_undervolted"`
	IPAddress             string    `json:"ip_address"`
	MACAddress            string    `json:"mac_address"`
	PublicAddress         string    `json:"public_address"`
	IsWebAccessible       bool      `json:"is_web_accessible"`
	LocalID               string    `json:"local_id"`
	Note                  string    `json:"note"`
	LockedUntil           time.Time `json:"is_locked_until__date"`
}

type plainRef struct {
	ID int64 `json:"__id"`
}

type roundTripFunc func(*http.Request) (*http.Response, error)

func (f roundTripFunc) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }
