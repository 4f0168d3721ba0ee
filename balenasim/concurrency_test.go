package balenasim

import (
	"context"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestSimulator_Concurrency(t *testing.T) {
	t.Parallel()
	sc := shippedScenario(t, "noisy")
	sc.Faults = nil
	sim := playing(t, sc)
	var wg sync.WaitGroup
	for _, act := range []func(){
		func() { sim.Step(10 * time.Second) },
		func() { get(sim, "/v7/device?$expand=image_install,device_tag&$top=50&$orderby=id%20asc") },
		func() {
			get(sim, "/v7/application?$expand=owns__device/$count($filter=overall_status%20eq%20'operational')")
		},
		func() { request(sim, http.MethodPatch, "/v7/device(3)", `{"note":"n"}`) },
		func() { request(sim, http.MethodPost, "/v7/device_tag", `{"device":3,"tag_key":"k","value":"v"}`) },
		func() { request(sim, http.MethodDelete, "/v7/device_tag(device=3,tag_key='k')", "") },
		func() {
			id, err := sim.Inject(Fault{Kind: ServerError, Rate: 0.1})
			assert.NoError(t, err)
			sim.RemoveFault(id)
		},
		func() { sim.Requests(); sim.Counters(); sim.ResetRequests() },
	} {
		wg.Go(func() {
			for range 25 {
				act()
			}
		})
	}
	wg.Wait()
	sim.ResetRequests()
	assert.Empty(t, sim.Requests())
	assert.Zero(t, sim.Counters().Requests)
	assert.Equal(t, http.StatusOK, get(sim, "/v7/device/$count").Code)
	assert.Len(t, sim.Requests(), 1)
}

func TestSimulator_Run(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		sim := New()
		require.NoError(t, sim.Play(shippedScenario(t, "calm")))
		start := sim.now()
		ctx, cancel := context.WithCancel(t.Context())
		var wg sync.WaitGroup
		wg.Go(func() { sim.Run(ctx, 60) })
		time.Sleep(10 * time.Second)
		synctest.Wait()
		assert.Equal(t, 10*time.Minute, sim.now().Sub(start), "sixty times real time")
		cancel()
		wg.Wait()
	})
}
