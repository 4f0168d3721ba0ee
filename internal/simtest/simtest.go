// Package simtest connects clients to a simulated API within the process, without a network, so that it also works in a testing/synctest
// bubble.
package simtest

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/otelcol-balena/balenareceiver/balenaclient"
	"github.com/otelcol-balena/balenareceiver/balenaclient/pine"
	"github.com/otelcol-balena/balenareceiver/balenasim"
)

// Token belongs to the user who sees everything.
const Token = "t0p-s3cret-t0ken"

// Dataset holds the rows of a real server: 7 fleets with 42 devices.
func Dataset() fs.FS {
	_, file, _, _ := runtime.Caller(0)
	return os.DirFS(filepath.Join(filepath.Dir(file), "..", "..", "testdata", "conformance", "dataset"))
}

// New returns a simulated API with the dataset, and a client for it.
func New(t testing.TB, options ...balenaclient.Option) (*balenaclient.Client, *balenasim.Simulator) {
	t.Helper()
	sim := balenasim.New(balenasim.WithToken(Token))
	require.NoError(t, sim.Load(Dataset()))
	return Client(t, sim, options...), sim
}

// Client returns a client for a handler. The base URL has a path, so that a request which drops it fails.
func Client(t testing.TB, handler http.Handler, options ...balenaclient.Option) *balenaclient.Client {
	t.Helper()
	client, err := balenaclient.New(append([]balenaclient.Option{
		balenaclient.WithToken(Token),
		balenaclient.WithBaseURL("https://api.example.com/base"),
		balenaclient.WithHTTPClient(&http.Client{Transport: Transport{http.StripPrefix("/base", handler)}}),
		balenaclient.WithRetry(pine.Retry{Backoff: 1}),
	}, options...)...)
	require.NoError(t, err)
	return client
}

// Transport is an http.RoundTripper that calls a handler.
type Transport struct{ Handler http.Handler }

// RoundTrip implements [http.RoundTripper].
func (t Transport) RoundTrip(r *http.Request) (*http.Response, error) {
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	body, pipe := io.Pipe()
	w := &writer{header: http.Header{}, pipe: pipe, response: make(chan *http.Response, 1)}
	ctx, cancel := context.WithCancel(r.Context())
	served := r.Clone(ctx)
	served.RequestURI = r.URL.RequestURI()[len("/base"):]
	if served.Body == nil {
		served.Body = http.NoBody
	}
	ended := make(chan struct{})
	var failed error
	go func() {
		defer close(ended)
		if failed = serve(t.Handler, w, served); failed == nil {
			w.WriteHeader(http.StatusOK)
		}
		pipe.CloseWithError(failed)
		close(w.response)
	}()
	// Closing the body waits for the handler, so that tests may look at what it did.
	end := func() {
		cancel()
		body.CloseWithError(context.Canceled)
		<-ended
	}
	select {
	case response, ok := <-w.response:
		if !ok {
			end()
			return nil, failed
		}
		response.Request = r
		response.Body = &ctxBody{body, r, end}
		return response, nil
	case <-r.Context().Done():
		end()
		return nil, r.Context().Err()
	}
}

var errAborted = errors.New("connection reset by peer")

func serve(handler http.Handler, w http.ResponseWriter, r *http.Request) (err error) {
	defer func() {
		if p := recover(); p == http.ErrAbortHandler {
			err = errAborted
		} else if p != nil {
			panic(p)
		}
	}()
	handler.ServeHTTP(w, r)
	return nil
}

type writer struct {
	header   http.Header
	pipe     *io.PipeWriter
	response chan *http.Response
	once     sync.Once
}

func (w *writer) Header() http.Header { return w.header }

func (w *writer) WriteHeader(status int) {
	w.once.Do(func() {
		w.response <- &http.Response{StatusCode: status, ProtoMajor: 1, ProtoMinor: 1, Header: w.header.Clone(), ContentLength: -1}
	})
}

func (w *writer) Write(p []byte) (int, error) {
	w.WriteHeader(http.StatusOK)
	return w.pipe.Write(p)
}

func (w *writer) Flush() {}

// ctxBody ends with its request, like the body of a network connection.
type ctxBody struct {
	*io.PipeReader
	request *http.Request
	end     func()
}

func (b *ctxBody) Close() error {
	b.end()
	return nil
}

func (b *ctxBody) Read(p []byte) (int, error) {
	stop := make(chan struct{})
	defer close(stop)
	go func() {
		select {
		case <-b.request.Context().Done():
			b.PipeReader.CloseWithError(b.request.Context().Err())
		case <-stop:
		}
	}()
	return b.PipeReader.Read(p)
}
