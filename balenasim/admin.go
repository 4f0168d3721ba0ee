package balenasim

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"time"
)

// maxStep is the longest step that the admin endpoint accepts.
const maxStep = 24 * time.Hour

// AdminHandler returns a handler that controls the simulator. Serve it on a
// separate port:
//
//	GET    /faults       lists the active faults by id
//	POST   /faults       adds a fault, such as {"kind":"rate-limit","path":"/v7/device","rate":0.1}
//	DELETE /faults       removes all faults
//	DELETE /faults/{id}  removes one fault
//	GET    /requests     lists the latest requests
//	GET    /counters     returns totals over all requests
//	DELETE /requests     clears requests and counters
//	POST   /step?by=1h   advances the simulation at once
func (s *Simulator) AdminHandler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /faults", func(w http.ResponseWriter, _ *http.Request) { reply(w, s.Faults()) })
	mux.HandleFunc("POST /faults", func(w http.ResponseWriter, r *http.Request) {
		var f Fault
		d := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxBody))
		d.DisallowUnknownFields()
		err := d.Decode(&f)
		id := 0
		if err == nil {
			id, err = s.Inject(f)
		}
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		w.WriteHeader(http.StatusCreated)
		reply(w, map[string]int{"id": id})
	})
	mux.HandleFunc("DELETE /faults", func(http.ResponseWriter, *http.Request) { s.ClearFaults() })
	mux.HandleFunc("DELETE /faults/{id}", func(w http.ResponseWriter, r *http.Request) {
		id, err := strconv.Atoi(r.PathValue("id"))
		if err != nil || !s.RemoveFault(id) {
			http.Error(w, fmt.Sprintf("no fault with id %q", r.PathValue("id")), http.StatusNotFound)
		}
	})
	mux.HandleFunc("GET /requests", func(w http.ResponseWriter, _ *http.Request) { reply(w, s.Requests()) })
	mux.HandleFunc("GET /counters", func(w http.ResponseWriter, _ *http.Request) { reply(w, s.Counters()) })
	mux.HandleFunc("DELETE /requests", func(http.ResponseWriter, *http.Request) { s.ResetRequests() })
	mux.HandleFunc("POST /step", func(w http.ResponseWriter, r *http.Request) {
		d, err := time.ParseDuration(r.FormValue("by"))
		if err != nil || d < 0 || d > maxStep {
			http.Error(w, fmt.Sprintf("by=%q: give a duration up to %s, such as by=10m", r.FormValue("by"), maxStep), http.StatusBadRequest)
			return
		}
		s.Step(d)
		reply(w, map[string]time.Time{"now": s.now()})
	})
	return mux
}

func reply(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	// The only possible error is a broken connection.
	_ = json.NewEncoder(w).Encode(v)
}
