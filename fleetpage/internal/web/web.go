// Package web renders the model as pages: HTML that needs neither JavaScript nor any other server.
package web

import (
	"bytes"
	"embed"
	"fmt"
	"hash/fnv"
	"html/template"
	"io/fs"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"go.uber.org/zap"

	"github.com/otelcol-balena/balenareceiver/fleetpage/internal/model"
)

//go:embed assets templates
var files embed.FS

// Options configure the pages.
type Options struct {
	// Dashboard is the URL of the balena dashboard; empty if that follows from where the metrics come from.
	Dashboard string

	// History is how far back the lines of fleets reach.
	History time.Duration

	Logger *zap.Logger
}

type handler struct {
	Options
	store *model.Store
	pages map[string]*template.Template
}

// NewHandler returns a handler that serves the store.
func NewHandler(store *model.Store, options Options) (http.Handler, error) {
	h := &handler{Options: options, store: store, pages: map[string]*template.Template{}}
	for _, name := range []string{"now", "fleets", "fleet", "device", "missing"} {
		page, err := template.New("layout.html").Funcs(functions()).ParseFS(files, "templates/layout.html", "templates/parts.html", "templates/"+name+".html")
		if err != nil {
			return nil, fmt.Errorf("parse the template of the page %q: %w", name, err)
		}
		h.pages[name] = page
	}
	assets, err := fs.Sub(files, "assets")
	if err != nil {
		return nil, fmt.Errorf("open the assets: %w", err)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", h.now)
	mux.HandleFunc("GET /fleets", h.fleets)
	mux.HandleFunc("GET /fleet", h.fleet)
	mux.HandleFunc("GET /device", h.device)
	mux.Handle("GET /assets/", http.StripPrefix("/assets/", assetServer(assets)))
	return secured(mux), nil
}

// assetServer serves the files themselves, but no list of them.
func assetServer(assets fs.FS) http.Handler {
	server := http.FileServerFS(assets)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "" || strings.HasSuffix(r.URL.Path, "/") {
			http.NotFound(w, r)
			return
		}
		w.Header().Set("Cache-Control", "max-age=300")
		server.ServeHTTP(w, r)
	})
}

// contentSecurityPolicy allows this server's own files and nothing else. No page has inline script or style.
const contentSecurityPolicy = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; " +
	"form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

func secured(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		header := w.Header()
		header.Set("Content-Security-Policy", contentSecurityPolicy)
		header.Set("X-Content-Type-Options", "nosniff")
		header.Set("Referrer-Policy", "same-origin")
		header.Set("Cross-Origin-Opener-Policy", "same-origin")
		header.Set("Cross-Origin-Resource-Policy", "same-origin")
		next.ServeHTTP(w, r)
	})
}

// page is what each template is given.
type page struct {
	Title   string
	Section string // of the navigation
	View    any
	Status  model.Status
	Live    bool   // whether it changes
	Slug    string // of the fleet, on its page
	Span    string
	base    *url.URL // of the dashboard; nil if there is none
}

func (h *handler) now(w http.ResponseWriter, r *http.Request) {
	view := h.store.Current()
	h.render(w, r, http.StatusOK, "now", page{Title: "Now", Section: "now", View: view, Status: view.Overall, Live: true})
}

func (h *handler) fleets(w http.ResponseWriter, r *http.Request) {
	view := h.store.Fleets(parameter(r, "q"), number(r, "page"))
	h.render(w, r, http.StatusOK, "fleets", page{Title: "Fleets", Section: "fleets", View: view, Status: view.Overall, Live: true})
}

func (h *handler) fleet(w http.ResponseWriter, r *http.Request) {
	slug := parameter(r, "slug")
	view, ok := h.store.Fleet(slug, model.Filter{Query: parameter(r, "q"), State: parameter(r, "state")}, number(r, "page"))
	if !ok {
		h.missing(w, r, "fleet", slug)
		return
	}
	h.render(w, r, http.StatusOK, "fleet", page{Title: view.Name, Section: "fleets", View: view, Status: view.Overall, Live: true, Slug: view.Slug})
}

func (h *handler) device(w http.ResponseWriter, r *http.Request) {
	uuid := parameter(r, "uuid")
	view, ok := h.store.Device(uuid)
	if !ok {
		h.missing(w, r, "device", uuid)
		return
	}
	h.render(w, r, http.StatusOK, "device", page{Title: view.Name, Section: "fleets", View: view, Status: view.Overall, Live: true})
}

func (h *handler) missing(w http.ResponseWriter, r *http.Request, what, name string) {
	view := struct{ What, Name string }{what, name}
	h.render(w, r, http.StatusNotFound, "missing", page{Title: "Not found", Section: "fleets", View: view, Status: h.store.Current().Overall})
}

// render writes a page, or that it has not changed.
func (h *handler) render(w http.ResponseWriter, r *http.Request, code int, name string, p page) {
	p.Span = span(h.History)
	p.base = h.dashboard(p.Status)
	var body bytes.Buffer
	if err := h.pages[name].Execute(&body, p); err != nil {
		h.Logger.Error("Page could not be rendered", zap.String("page", name), zap.Error(err))
		http.Error(w, "The page could not be rendered; the Collector's log says why.", http.StatusInternalServerError)
		return
	}
	hash := fnv.New64a()
	_, _ = hash.Write(body.Bytes()) // never fails
	tag := fmt.Sprintf(`"%x"`, hash.Sum64())
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Cache-Control", "no-cache")
	w.Header().Set("ETag", tag)
	if code == http.StatusOK && r.Header.Get("If-None-Match") == tag {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	w.WriteHeader(code)
	_, _ = w.Write(body.Bytes()) // the client may have gone
}

// dashboard is where the fleets can be managed: where the configuration says, or at balenaCloud if all metrics are from there.
func (h *handler) dashboard(status model.Status) *url.URL {
	address := h.Dashboard
	if address == "" && status.Dashboard {
		address = "https://dashboard.balena-cloud.com"
	}
	if address == "" {
		return nil
	}
	base, err := url.Parse(address)
	if err != nil {
		return nil
	}
	return base
}

// At is the present.
func (p page) At() time.Time { return p.Status.At }

// DeviceLink is a device's page in the balena dashboard, or empty.
func (p page) DeviceLink(uuid string) string { return p.link("devices", uuid, "summary") }

// FleetLink is a fleet's page in the balena dashboard, or empty.
func (p page) FleetLink(id string) string {
	if id == "" {
		return ""
	}
	return p.link("fleets", id)
}

func (p page) link(parts ...string) string {
	if p.base == nil {
		return ""
	}
	for i, part := range parts {
		parts[i] = url.PathEscape(part)
	}
	return p.base.JoinPath(parts...).String()
}

// parameter is what a request asks for, no longer than any name: it is compared with many and written into the page.
func parameter(r *http.Request, name string) string { return model.Clean(r.FormValue(name)) }

func number(r *http.Request, name string) int {
	n, _ := strconv.Atoi(r.FormValue(name)) // whatever it is not is the first page
	return n
}
