// Package pictures draws the dashboards with Grafana's own components over a simulated day, for docs/images.
package pictures

import (
	"encoding/json"
	"flag"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/otelcol-balena/balenareceiver/internal/observability/days"
	"github.com/otelcol-balena/balenareceiver/internal/observability/engine"
)

var take = flag.Bool("pictures", false, "take the pictures (make pictures): needs the page in dist/, and Chromium")

// TestPictures takes the pictures.
func TestPictures(t *testing.T) {
	if !*take {
		t.Skip("pictures are taken by make pictures")
	}
	browser, err := exec.LookPath("chromium")
	if err != nil {
		t.Fatal("chromium is needed: apt-get install chromium")
	}
	day, err := days.Eventful()
	if err != nil {
		t.Fatal(err)
	}
	e := days.Live(t, day)
	server := httptest.NewServer(handler(e, days.Begin, days.Begin.Add(day.Length-30*time.Second)))
	defer server.Close()
	if hold := os.Getenv("PICTURES_HOLD"); hold != "" { // to look at the page while changing it
		t.Log(server.URL)
		wait, _ := time.ParseDuration(hold)
		if err := os.WriteFile(filepath.Join("dist", "url"), []byte(server.URL), 0o600); err != nil {
			t.Fatal(err)
		}
		time.Sleep(wait)
		return
	}
	for _, picture := range []struct {
		name, query string
		height      int
	}{
		{"fleets", "dashboard=fleets", 1520},
		{"device", "dashboard=device&device=quarry-cameras-3-0002", 1340},
		{"rollout", "dashboard=rollout", 1520},
		{"collector", "dashboard=collector", 1110},
	} {
		file, err := filepath.Abs("../../../docs/images/dashboard-" + picture.name + ".png")
		if err != nil {
			t.Fatal(err)
		}
		output, err := exec.CommandContext(t.Context(), browser, "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--no-first-run",
			"--disable-background-networking", "--user-data-dir="+t.TempDir(), fmt.Sprintf("--window-size=1600,%d", picture.height),
			"--virtual-time-budget=30000", "--enable-logging=stderr", "--screenshot="+file, server.URL+"/?"+picture.query).CombinedOutput()
		if err != nil {
			t.Fatalf("%s: %v\n%s", picture.name, err, output)
		}
	}
}

// handler serves the page, the dashboards, and what the page needs of Prometheus' API.
func handler(e *engine.Engine, from, to time.Time) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("/", http.FileServer(http.Dir("dist")))
	mux.Handle("/dashboards/", http.StripPrefix("/dashboards/", http.FileServer(http.Dir("../../../observability/dashboards"))))
	respond := func(w http.ResponseWriter, result any, err error) {
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(result)
	}
	mux.HandleFunc("/range", func(w http.ResponseWriter, _ *http.Request) {
		respond(w, map[string]int64{"from": from.Unix(), "to": to.Unix(), "step": 60}, nil)
	})
	seconds := func(r *http.Request, name string) time.Time {
		s, _ := strconv.ParseInt(r.FormValue(name), 10, 64)
		return time.Unix(s, 0)
	}
	mux.HandleFunc("/api/v1/query", func(w http.ResponseWriter, r *http.Request) {
		result, err := e.Query(r.Context(), r.FormValue("query"), seconds(r, "time"))
		respond(w, map[string]any{"data": map[string]any{"result": result}}, err)
	})
	mux.HandleFunc("/api/v1/query_range", func(w http.ResponseWriter, r *http.Request) {
		step := seconds(r, "step").Sub(time.Unix(0, 0))
		result, err := e.QueryRange(r.Context(), r.FormValue("query"), seconds(r, "start"), seconds(r, "end"), step)
		respond(w, map[string]any{"data": map[string]any{"result": result}}, err)
	})
	return mux
}
