package incidents

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/otelcol-balena/balenareceiver/internal/observability/pipeline"
)

// incident is one of docs/diagnosing-incidents.md.
type incident string

const (
	deviceLost   incident = "a device lost power"
	siteLost     incident = "a site lost its uplink"
	vpnLost      incident = "balena's VPN had an incident"
	apiDown      incident = "the API was down"
	keyExpired   incident = "the API key expired"
	rolloutStuck incident = "a rollout got stuck"
)

// When things happen in a scenario, in minutes.
const (
	rolloutAt = 20
	length    = 230

	lostDevice = 14
	lostSite   = 2
)

// spell is a time in which an incident lasts, in minutes.
type spell struct {
	incident incident
	from, to int
}

// scenario is the incidents that happen.
type scenario []spell

func (s scenario) active(minute int) map[incident]bool {
	active := map[incident]bool{}
	for _, spell := range s {
		if spell.from <= minute && minute < spell.to {
			active[spell.incident] = true
		}
	}
	return active
}

// moment is what /metrics served at a time.
type moment struct {
	at   time.Time
	text []byte
}

// record lets a scenario happen, and returns what was served each minute.
func record(t *testing.T, s scenario) ([]moment, error) {
	exporter, err := pipeline.NewExporter(t.Context(), 3*time.Minute)
	if err != nil {
		return nil, err
	}
	defer exporter.Shutdown(context.WithoutCancel(t.Context()))
	var moments []moment
	synctest.Test(t, func(t *testing.T) { moments, err = recordWith(t.Context(), exporter, s) })
	return moments, err
}

func recordWith(ctx context.Context, exporter *pipeline.Exporter, s scenario) ([]moment, error) {
	a, err := newAccount()
	if err != nil {
		return nil, err
	}
	scrapes, err := pipeline.Start(ctx, exporter, map[string]any{
		"token": token, "api": pipeline.Endpoint(), "tags": map[string]any{"devices": map[string]any{"site": ""}},
	}, a, nil)
	if err != nil {
		return nil, err
	}
	defer scrapes.Stop(context.WithoutCancel(ctx))
	var moments []moment
	expired := false
	for a.minute() < length {
		scrapes.Next()
		text, err := exporter.Text()
		if err != nil {
			return nil, err
		}
		moments = append(moments, moment{time.Now(), text})

		active := s.active(a.minute() + 1)
		if active[keyExpired] != expired {
			if expired = active[keyExpired]; expired {
				a.sim.AddUserKey(token, time.Now())
			} else {
				a.sim.AddUserKey(token, time.Time{})
			}
		}
		time.Sleep(time.Until(a.start.Add(time.Duration(a.minute()+1) * time.Minute)))
		if err := a.live(active); err != nil {
			return nil, err
		}
	}
	return moments, nil
}
