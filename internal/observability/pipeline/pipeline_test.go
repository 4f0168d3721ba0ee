package pipeline_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"testing"
	"testing/synctest"
	"time"

	"github.com/otelcol-balena/balenareceiver/balenasim"
	"github.com/otelcol-balena/balenareceiver/internal/observability/pipeline"
)

type inproc struct{ h http.Handler }

func (i inproc) RoundTrip(r *http.Request) (*http.Response, error) {
	rec := httptest.NewRecorder()
	i.h.ServeHTTP(rec, r)
	return rec.Result(), nil
}

func TestPipeline(t *testing.T) {
	start := time.Now()
	n := 20
	for range n {
		exp, err := pipeline.NewExporter(t.Context(), 5*time.Minute)
		if err != nil {
			t.Fatal(err)
		}
		synctest.Test(t, func(t *testing.T) {
			sim := balenasim.New(balenasim.WithToken("k"))
			if err := sim.Load(os.DirFS("../../../testdata/conformance/dataset")); err != nil {
				t.Fatal(err)
			}
			s, err := pipeline.Start(t.Context(), exp, map[string]any{"token": "k", "api": pipeline.Endpoint()}, inproc{sim})
			if err != nil {
				t.Fatal(err)
			}
			for range 5 {
				s.Next()
				m, err := exp.Series()
				if err != nil {
					t.Fatal(err)
				}
				_ = m
				//fmt.Println(time.Now(), len(m), s.Logs())
			}
			s.Stop(t.Context())
		})
		exp.Shutdown(t.Context())
	}
	fmt.Println(time.Since(start) / time.Duration(n*5))
}
