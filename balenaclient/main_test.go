package balenaclient_test

import (
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync/atomic"
	"testing"

	"go.uber.org/goleak"

	"github.com/otelcol-balena/balenareceiver/balenasim"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(exampleServer{m}) }

// exampleServer runs the tests with the API that the examples find in their environment. It has the rows of a real server.
type exampleServer struct{ *testing.M }

func (m exampleServer) Run() int {
	sim := balenasim.New(balenasim.WithToken("token-of-ada"))
	if err := sim.Load(os.DirFS("../testdata/conformance/dataset")); err != nil {
		log.Fatal(err)
	}
	server := httptest.NewServer(&restartingLogs{Simulator: sim})
	defer server.Close()
	os.Setenv("BALENA_API_KEY", "token-of-ada")
	os.Setenv("BALENA_API_URL", server.URL)
	return m.M.Run()
}

// restartingLogs writes a line for each new log stream, and ends the first streams after it as a restart of the server does.
type restartingLogs struct {
	*balenasim.Simulator
	streams atomic.Int64
}

func (s *restartingLogs) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if !strings.Contains(r.URL.RawQuery, "stream=1") {
		s.Simulator.ServeHTTP(w, r)
		return
	}
	n := s.streams.Add(1)
	line := balenasim.LogLine{Message: "log line " + string(rune('0'+n)), ServiceID: 1}
	if err := s.WriteLogs(strings.Split(r.URL.Path, "/")[3], line); err != nil {
		log.Print(err)
	}
	s.Simulator.ServeHTTP(&oneFlush{w}, r)
}

// oneFlush breaks the connection after the first lines.
type oneFlush struct{ http.ResponseWriter }

func (w *oneFlush) Flush() {
	w.ResponseWriter.(http.Flusher).Flush()
	panic(http.ErrAbortHandler)
}
