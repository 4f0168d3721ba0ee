package receiver

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"strings"
	"time"

	"github.com/otelcol-balena/balenareceiver/balenaclient/apikey"
)

// apiKeyInterval is the time between two requests for API keys, which hardly ever change.
const apiKeyInterval = time.Hour

// apiKey is an API key that expires, or a session token.
type apiKey struct {
	name   string // empty for a session token
	expiry time.Time
}

// apiKeys remembers when the API keys of the credentials' owner expire.
type apiKeys struct {
	source  func(context.Context) (string, error) // of the token; nil if an auth extension sets it
	now     func() time.Time
	fetched time.Time
	keys    []apiKey // nil until they were fetched
}

func (k *apiKeys) due() bool { return k.now().Sub(k.fetched).Abs() >= apiKeyInterval }

// apiKeysJob fetches the keys that expire. The API does not say which of them is in use, and reading the keys themselves to find out
// would transfer secrets that are not needed for anything else.
func (r *fetchRun) apiKeysJob() job {
	return job{finish: func(ctx context.Context) error {
		keys, err := r.fetchAPIKeys(ctx)
		if err == nil {
			r.apiKeys.keys, r.apiKeys.fetched = keys, r.apiKeys.now()
		}
		return err
	}}
}

func (r *fetchRun) fetchAPIKeys(ctx context.Context) ([]apiKey, error) {
	if expiry, ok := r.apiKeys.sessionExpiry(ctx); ok {
		return []apiKey{{expiry: expiry}}, nil
	}
	who, err := r.client.WhoAmI(ctx)
	if err != nil {
		return nil, err
	}
	keys := []apiKey{}
	for row, err := range r.client.APIKeys().Where(apikey.Actor.Eq(who.ActorID), apikey.ExpiresAt.NotNull()).
		Select(apikey.Name, apikey.ExpiresAt).PageSize(maxPageSize).All(ctx) {
		if err != nil {
			return nil, err
		}
		// A key that has expired is not in use.
		if row.ExpiresAt != nil && row.ExpiresAt.After(r.apiKeys.now()) {
			keys = append(keys, apiKey{name: row.Name, expiry: *row.ExpiresAt})
		}
	}
	return keys, nil
}

// sessionExpiry returns when the token expires, if it is a session token, which is a JSON Web Token.
func (k *apiKeys) sessionExpiry(ctx context.Context) (expiry time.Time, ok bool) {
	if k.source == nil {
		return time.Time{}, false
	}
	token, err := k.source(ctx)
	if err != nil {
		return time.Time{}, false
	}
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return time.Time{}, false
	}
	payload, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		return time.Time{}, false
	}
	var claims struct {
		Expiry int64 `json:"exp"` // seconds since 1970
	}
	if err := json.Unmarshal(payload, &claims); err != nil || claims.Expiry <= 0 {
		return time.Time{}, false
	}
	return time.Unix(claims.Expiry, 0), true
}
