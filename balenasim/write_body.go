package balenasim

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
)

// maxBody is the largest request body that the server accepts.
const maxBody = 512 << 10

// htmlError sends Express's error page for a body that it cannot read.
func htmlError(w *recorder, status int) {
	body := "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<title>Error</title>\n</head>\n<body>\n<pre>" +
		map[int]string{http.StatusBadRequest: "Bad Request", http.StatusRequestEntityTooLarge: "Payload Too Large"}[status] +
		"</pre>\n</body>\n</html>\n"
	h := w.Header()
	h.Del("Cache-Control")
	h.Set("Content-Security-Policy", "default-src 'none'")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Length", fmt.Sprint(len(body)))
	w.WriteHeader(status)
	io.WriteString(w, body)
}

// body reads the fields of a write. It responds to invalid JSON itself, as
// Express does before the API sees the request.
func body(w *recorder, r *http.Request) (map[string]json.RawMessage, bool) {
	b, err := io.ReadAll(io.LimitReader(r.Body, maxBody+1))
	switch {
	case err != nil:
		htmlError(w, http.StatusBadRequest)
		return nil, false
	case len(b) > maxBody:
		htmlError(w, http.StatusRequestEntityTooLarge)
		return nil, false
	case len(bytes.TrimSpace(b)) == 0 || !strings.HasPrefix(r.Header.Get("Content-Type"), "application/json"):
		// A body of another type is ignored.
		return nil, true
	}
	var fields map[string]json.RawMessage
	if !json.Valid(b) {
		htmlError(w, http.StatusBadRequest)
		return nil, false
	}
	if json.Unmarshal(b, &fields) != nil {
		return nil, true
	}
	return fields, true
}
