package balenasim

import (
	"io"
	"net/http"
	"time"
)

// streamLogs sends one line of JSON per log line for as long as the caller
// reads. Like the server, it sends nothing before the first line or heartbeat,
// not even headers: for a quiet device that takes 58 seconds.
func (s *Simulator) streamLogs(w *recorder, r *http.Request, id int64, params map[string]string) {
	count, start := s.logRange(params, 0, logStreamLookback)
	reader := &logReader{lines: make(chan LogLine, logBacklog)}
	s.logs.mu.Lock()
	d := s.logs.device(id)
	history := d.history(count, start)
	d.readers[reader] = struct{}{}
	s.logs.mu.Unlock()
	defer func() {
		s.logs.mu.Lock()
		delete(d.readers, reader)
		s.logs.mu.Unlock()
	}()

	out := newLineWriter(w, r)
	defer out.close()
	for _, line := range history {
		if out.line(line) != nil {
			return
		}
	}
	if len(history) > 0 && out.flush() != nil {
		return
	}
	heartbeat := time.NewTicker(s.heartbeat)
	defer heartbeat.Stop()
	for {
		var err error
		select {
		case <-r.Context().Done():
			return
		case line := <-reader.lines:
			err = out.line(line)
		case <-heartbeat.C:
			err = out.write([]byte("\n"))
		}
		if err != nil || out.flush() != nil {
			return
		}
	}
}

// lineWriter writes a stream of lines, compressed if the caller accepts that.
type lineWriter struct {
	w    *recorder
	zip  flushWriter
	ctrl *http.ResponseController
}

func newLineWriter(w *recorder, r *http.Request) *lineWriter {
	h := w.Header()
	h.Set("Content-Type", "application/x-ndjson")
	h.Set("Cache-Control", "no-cache")
	h.Set("Vary", "Accept-Encoding")
	out := &lineWriter{w: w, ctrl: http.NewResponseController(w)}
	if coding := acceptedCoding(r); coding != "" {
		h.Set("Content-Encoding", coding)
		out.zip = compressor(w, coding)
	}
	return out
}

func (o *lineWriter) line(l LogLine) error {
	b, err := encode(l)
	if err != nil {
		return err
	}
	o.w.rows++
	return o.write(append(b, '\n'))
}

func (o *lineWriter) write(b []byte) error {
	var to io.Writer = o.w
	if o.zip != nil {
		to = o.zip
	}
	_, err := to.Write(b)
	return err
}

func (o *lineWriter) flush() error {
	if o.zip != nil {
		if err := o.zip.Flush(); err != nil {
			return err
		}
	}
	return o.ctrl.Flush()
}

func (o *lineWriter) close() {
	if o.zip != nil && o.w.status != 0 {
		o.zip.Close()
	}
}
