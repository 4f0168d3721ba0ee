package pine

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// openBalena closes idle connections after some 6 s: what is sent just then is lost.
func TestNew_IdleConnections(t *testing.T) {
	t.Parallel()
	client, err := New(Config{BaseURL: "https://api.example.com"})
	require.NoError(t, err)
	assert.Equal(t, 5*time.Second, client.http.Transport.(*http.Transport).IdleConnTimeout)
	assert.Same(t, client.http.Transport, client.streaming.Transport)

	client, err = New(Config{BaseURL: "https://api.example.com", HTTPClient: &http.Client{Timeout: time.Minute}})
	require.NoError(t, err)
	assert.Equal(t, 5*time.Second, client.http.Transport.(*http.Transport).IdleConnTimeout)
	assert.Equal(t, time.Minute, client.http.Timeout)

	own := &http.Transport{}
	client, err = New(Config{BaseURL: "https://api.example.com", HTTPClient: &http.Client{Transport: own}})
	require.NoError(t, err)
	assert.Same(t, own, client.http.Transport)
}
