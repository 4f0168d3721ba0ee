package balenasim

import (
	"encoding/json"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/otelcol-balena/balenareceiver/balenasim/internal/odata"
)

// logsPath extracts the UUID from /device/v2/<uuid>/logs.
func logsPath(path string) (string, bool) {
	rest, ok := strings.CutPrefix(path, "/device/v2/")
	if !ok {
		return "", false
	}
	uuid, ok := strings.CutSuffix(rest, "/logs")
	return uuid, ok && uuid != "" && !strings.Contains(uuid, "/")
}

func (s *Simulator) serveLogs(w *recorder, r *http.Request, c credential, uuid string) {
	switch r.Method {
	case http.MethodGet:
		s.readLogs(w, r, c, uuid)
	case http.MethodPost:
		s.storeLogs(w, r, c, uuid)
	default:
		writeEmpty(w, http.StatusNotFound)
	}
}

func (s *Simulator) readLogs(w *recorder, r *http.Request, c credential, uuid string) {
	if c.kind != user {
		writeEmpty(w, http.StatusUnauthorized)
		return
	}
	id := s.deviceID(uuid)
	if id == 0 {
		writeMessage(w, r, http.StatusNotFound, "No device with uuid "+uuid)
		return
	}
	params := logParams(target(r))
	if params["stream"] == "1" {
		s.streamLogs(w, r, id, params)
		return
	}
	count, start := s.logRange(params, logRetention, logRetentionTime)
	s.logs.mu.Lock()
	d := s.logs.device(id)
	d.window(s.now())
	lines := d.history(count, start)
	s.logs.mu.Unlock()
	if lines == nil {
		lines = []LogLine{}
	}
	b, err := encode(lines)
	if err != nil {
		writeEmpty(w, http.StatusInternalServerError)
		return
	}
	w.rows = len(lines)
	writeJSON(w, r, http.StatusOK, b)
}

func logParams(target string) map[string]string {
	out := map[string]string{}
	_, options, _ := strings.Cut(target, "?")
	for option := range strings.SplitSeq(options, "&") {
		name, value, _ := strings.Cut(option, "=")
		out[name] = strings.ReplaceAll(strings.ReplaceAll(value, "%3A", ":"), "%2B", "+")
	}
	return out
}

// logRange parses count and start. Invalid values are ignored.
func (s *Simulator) logRange(params map[string]string, count int, lookback time.Duration) (int, int64) {
	now := s.now()
	if c, ok := params["count"]; ok {
		if n, err := strconv.Atoi(c); err == nil {
			count = n
		} else if c == "all" {
			count = logRetention
		}
	}
	start := now.Add(-lookback).UnixMilli()
	if given, ok := params["start"]; ok {
		if ms, err := strconv.ParseInt(given, 10, 64); err == nil && ms != 0 {
			start = ms
		} else if t, ok := odata.ParseTime(given, s.now()); ok {
			start = t.UnixMilli()
		}
	}
	return min(count, logRetention), max(start, now.Add(-logRetentionTime).UnixMilli())
}

// storeLogs accepts a batch of lines from a device.
func (s *Simulator) storeLogs(w *recorder, r *http.Request, c credential, uuid string) {
	id := s.deviceID(uuid)
	if id == 0 || c.kind == guest || c.kind == deviceKey && c.device != uuid {
		writeEmpty(w, http.StatusUnauthorized)
		return
	}
	var lines []LogLine
	if err := json.NewDecoder(io.LimitReader(r.Body, maxBody)).Decode(&lines); err != nil {
		htmlError(w, http.StatusBadRequest)
		return
	}
	if len(lines) > logBatch {
		writeMessage(w, r, http.StatusBadRequest, "Batches cannot include more than 10 logs")
		return
	}
	if wait, ok := s.takeBatch(id); !ok {
		w.Header().Set("Retry-After", strconv.Itoa(int((wait+time.Second-1)/time.Second)))
		writeMessage(w, r, http.StatusTooManyRequests, "Too Many Requests")
		return
	}
	s.appendLogs(id, lines)
	writeEmpty(w, http.StatusCreated)
}

// takeBatch applies the rate limit of a device to a batch.
func (s *Simulator) takeBatch(id int64) (time.Duration, bool) {
	now := s.now()
	s.logs.mu.Lock()
	defer s.logs.mu.Unlock()
	d := s.logs.device(id)
	d.window(now)
	if d.batches >= logBatches {
		return logWindow - now.Sub(d.windowStart), false
	}
	d.batches++
	return 0, true
}
