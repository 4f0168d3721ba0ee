package pine_test

import (
	"io"
	"net/http"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otelcol-balena/balenareceiver/balenaclient/pine"
)

func TestClient_Do(t *testing.T) {
	t.Parallel()
	t.Run("sends a body and decodes the response", func(t *testing.T) {
		t.Parallel()
		client, w := newClient(t, always(http.StatusOK, `{"data":"ok"}`))
		var result struct {
			Data string `json:"data"`
		}
		require.NoError(t, client.Do(t.Context(), pine.Request{Method: http.MethodPost, Path: "/supervisor/v1/restart", Body: map[string]any{"deviceId": 5}}, &result))
		assert.Equal(t, "ok", result.Data)
		assert.Equal(t, []string{"/base/supervisor/v1/restart"}, w.targets())
		assert.Equal(t, http.MethodPost, w.last().Method)
		assert.Equal(t, "Bearer "+testToken, w.last().Header.Get("Authorization"))
		assert.Equal(t, "application/json", w.last().Header.Get("Content-Type"))
		assert.JSONEq(t, `{"deviceId":5}`, bodyOf(t, w))
		w.requireAllClosed(t)
	})
	t.Run("returns the body as it is", func(t *testing.T) {
		t.Parallel()
		client, w := newClient(t, always(http.StatusOK, "OK"))
		var result []byte
		require.NoError(t, client.Do(t.Context(), pine.Request{Method: http.MethodGet, Path: "/ping?a=b c"}, &result))
		assert.Equal(t, "OK", string(result))
		assert.Equal(t, []string{"/base/ping?a=b%20c"}, w.targets())
		assert.Empty(t, w.last().Header.Get("Content-Type"))
		require.NoError(t, client.Do(t.Context(), pine.Request{Method: http.MethodGet, Path: "/ping"}, nil))
	})
	t.Run("has the client's errors and bounds", func(t *testing.T) {
		t.Parallel()
		client, _ := newClient(t, inTurn(always(http.StatusConflict, `"taken"`), always(http.StatusOK, "<html>"), always(http.StatusOK, "0123456789")),
			func(c *pine.Config) { c.MaxResponseSize = 9 })
		var result []byte
		require.ErrorIs(t, client.Do(t.Context(), pine.Request{Method: http.MethodGet, Path: "/a"}, nil), pine.ErrConflict)
		require.ErrorIs(t, client.Do(t.Context(), pine.Request{Method: http.MethodGet, Path: "/a"}, new(int)), pine.ErrMalformed)
		require.ErrorIs(t, client.Do(t.Context(), pine.Request{Method: http.MethodGet, Path: "/a"}, &result), pine.ErrTooLarge)
	})
	t.Run("retries what may be retried", func(t *testing.T) {
		t.Parallel()
		for _, tt := range []struct {
			request pine.Request
			want    int
		}{
			{pine.Request{Method: http.MethodGet, Path: "/a"}, 2},
			{pine.Request{Method: http.MethodPut, Path: "/a"}, 2},
			{pine.Request{Method: http.MethodDelete, Path: "/a"}, 2},
			{pine.Request{Method: http.MethodPost, Path: "/a"}, 1},
			{pine.Request{Method: http.MethodPost, Path: "/a", Idempotent: true}, 2},
		} {
			synctest.Test(t, func(t *testing.T) {
				client, w := newClient(t, inTurn(failing(io.ErrUnexpectedEOF), always(http.StatusOK, "")))
				err := client.Do(t.Context(), tt.request, nil)
				assert.Equal(t, tt.want, w.count(), "%+v", tt.request)
				if tt.want == 1 {
					require.ErrorIs(t, err, pine.ErrOutcomeUnknown)
				} else {
					require.NoError(t, err)
				}
			})
		}
	})
	t.Run("does not send what cannot be sent", func(t *testing.T) {
		t.Parallel()
		client, w := newClient(t, always(http.StatusOK, ""))
		for path, want := range map[string]string{
			"":                           "must start with a slash",
			"ping":                       "must start with a slash",
			"https://evil.example.com/a": "must start with a slash",
			"/a#b":                       "it contains '#', which no URL may",
			"/a\nb":                      "it contains '\\n', which no URL may",
			"/ü":                         "it contains 'ü', which no URL may",
		} {
			err := client.Do(t.Context(), pine.Request{Method: http.MethodGet, Path: path}, nil)
			require.ErrorIs(t, err, pine.ErrInvalid, path)
			require.ErrorContains(t, err, want, path)
		}
		err := client.Do(t.Context(), pine.Request{Method: http.MethodPost, Path: "/a", Body: func() {}}, nil)
		require.ErrorIs(t, err, pine.ErrInvalid)
		require.ErrorIs(t, client.Do(t.Context(), pine.Request{Method: "NOT A METHOD", Path: "/a"}, nil), pine.ErrBadRequest)
		assert.Zero(t, w.count())
	})
}

// A document is bounded by the size of a response alone: the bound of a row is for rows.
func TestGetDocument_LargerThanARow(t *testing.T) {
	t.Parallel()
	client, _ := newClient(t, always(http.StatusOK, `["`+string(make20MB())+`"]`))
	lines, err := pine.GetDocument[[]string](t.Context(), client, "/logs")
	require.NoError(t, err)
	assert.Len(t, lines[0], 20<<20)
}

func make20MB() []byte {
	b := make([]byte, 20<<20)
	for i := range b {
		b[i] = 'x'
	}
	return b
}
