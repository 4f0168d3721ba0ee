package pine_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otelcol-balena/balenareceiver/balenaclient/pine"
)

// fixed responds to every request alike, and remembers the targets.
func fixed(t *testing.T, body string, config pine.Config) (*pine.Client, *[]string) {
	t.Helper()
	var targets []string
	config.BaseURL = "https://api.example.com"
	config.HTTPClient = &http.Client{Transport: transportFunc(func(r *http.Request) (*http.Response, error) {
		targets = append(targets, r.URL.RequestURI())
		response := body
		if strings.Contains(r.URL.Path, "$count") {
			response = `{"d":0}`
		}
		return &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(response)), Request: r}, nil
	})}
	client, err := pine.New(config)
	require.NoError(t, err)
	return client, &targets
}

type transportFunc func(*http.Request) (*http.Response, error)

func (f transportFunc) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func TestQuery_Scope(t *testing.T) {
	t.Parallel()
	client, targets := fixed(t, "OK", pine.Config{})
	scoped := pine.From[ship](client, "ship").Scope(shipName.StartsWith("V"))
	require.ErrorIs(t, scoped.Delete(t.Context()), pine.ErrUnfiltered)
	require.ErrorIs(t, pine.As[ship](scoped).Patch(t.Context(), setName.Set("x")), pine.ErrUnfiltered)
	assert.Empty(t, *targets)
	require.NoError(t, scoped.Where(shipKnots.Gt(3)).Delete(t.Context()))
	assert.Equal(t, []string{"/ship?$filter=(startswith(name,'V'))%20and%20(knots%20gt%203)"}, *targets)
}

func TestQuery_With(t *testing.T) {
	t.Parallel()
	client, targets := fixed(t, `{"d":[]}`, pine.Config{})
	shape := pine.Select[ship](shipKnots).Expand(shipPort.With(pine.Select[port](portName))).Where(shipKnots.Gt(3)).OrderBy(shipName.Asc()).Top(7)
	_, err := pine.From[ship](client, "ship").Select(shipName).Where(shipName.Eq("Vasa")).With(shape).With(pine.Query[ship]{}).List(t.Context())
	require.NoError(t, err)
	assert.Equal(t, []string{"/ship?$select=id,name,knots&$expand=lies_in__port($select=id,name)" +
		"&$filter=(name%20eq%20'Vasa')%20and%20(knots%20gt%203)&$orderby=name%20asc&$top=7"}, *targets)
}

func TestConfig_FoundNothing(t *testing.T) {
	t.Parallel()
	asked, reason := 0, errors.New("not logged in")
	config := pine.Config{FoundNothing: func(context.Context) error { asked++; return reason }}
	client, _ := fixed(t, `{"d":[]}`, config)
	ships := pine.From[ship](client, "ship").Select(shipName)
	_, list := ships.List(t.Context())
	_, first := ships.First(t.Context())
	_, get := ships.Get(t.Context(), 5)
	_, count := ships.Count(t.Context())
	_, raw := pine.Raw[ship](t.Context(), client, "ship")
	for _, err := range []error{list, first, get, count, raw} {
		require.ErrorIs(t, err, reason)
	}
	assert.Equal(t, 5, asked)

	client, _ = fixed(t, `{"d":[{"id":5,"name":"Vasa"}]}`, config)
	_, err := pine.From[ship](client, "ship").Select(shipName).List(t.Context())
	require.NoError(t, err)
	assert.Equal(t, 5, asked, "something was found")
}

func TestQuery_Get_NotFoundNamesTheKey(t *testing.T) {
	t.Parallel()
	client, _ := fixed(t, `{"d":[]}`, pine.Config{})
	_, err := pine.From[ship](client, "ship").Get(t.Context(), 12345)
	require.EqualError(t, err, "ship(12345): not found")
	_, err = pine.From[ship](client, "ship").GetBy(t.Context(), shipName.Key("O'Neil & Co."))
	require.EqualError(t, err, "ship(name='O''Neil & Co.'): not found")
}
