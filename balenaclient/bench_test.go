package balenaclient_test

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/otelcol-balena/balenareceiver/balenaclient"
)

// devicesAnswer is an answer with n real devices.
func devicesAnswer(tb testing.TB, n int) []byte {
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
	answer, err := json.Marshal(map[string]any{"d": many})
	require.NoError(tb, err)
	return answer
}

// BenchmarkDecodeDevices compares the client, on one page of 10,000 devices, with what one would write by hand.
func BenchmarkDecodeDevices(b *testing.B) {
	const n = 10_000
	answer := devicesAnswer(b, n)
	run := func(name string, fetch func() (int, error)) {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(answer)))
			b.ReportAllocs()
			for b.Loop() {
				got, err := fetch()
				if err != nil || got != n {
					b.Fatal(got, err)
				}
			}
		})
	}
	client, err := balenaclient.New(balenaclient.WithPageSize(n+1), balenaclient.WithHTTPClient(&http.Client{Transport: roundTripFunc(
		func(r *http.Request) (*http.Response, error) {
			return &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Body: io.NopCloser(bytes.NewReader(answer)), Request: r}, nil
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
	run("encoding-json-row-by-row", func() (int, error) {
		decoder := json.NewDecoder(bytes.NewReader(answer))
		for range 3 { // {"d":[
			if _, err := decoder.Token(); err != nil {
				return 0, err
			}
		}
		var rows []balenaclient.Device
		for decoder.More() {
			var row balenaclient.Device
			if err := decoder.Decode(&row); err != nil {
				return 0, err
			}
			rows = append(rows, row)
		}
		return len(rows), nil
	})
	run("encoding-json-at-once", func() (int, error) {
		body, err := io.ReadAll(bytes.NewReader(answer))
		if err != nil {
			return 0, err
		}
		var page struct{ D []balenaclient.Device }
		err = json.Unmarshal(body, &page)
		return len(page.D), err
	})
}

type roundTripFunc func(*http.Request) (*http.Response, error)

func (f roundTripFunc) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }
