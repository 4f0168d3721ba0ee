package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"time"

	"github.com/otelcol-balena/balenareceiver/balenasim"
)

const (
	// idleTimeout is that of the real server, measured as about 6 s, so that
	// clients have to cope with closed keep-alive connections.
	idleTimeout   = 6 * time.Second
	headerTimeout = 10 * time.Second
	maxHeaders    = 16 << 10
	stopTimeout   = 3 * time.Second
)

func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	c, err := parse(args, stdout)
	if err != nil {
		return err
	}
	opts := []balenasim.Option{
		balenasim.WithToken(c.token), balenasim.WithSeed(c.seed), balenasim.WithLogHeartbeat(c.heartbeat),
	}
	if log := requestLogger(c.requests, stderr); log != nil {
		opts = append(opts, balenasim.WithRequestHook(func(r balenasim.Request) { logRequest(log, r) }))
	}
	sim := balenasim.New(opts...)
	what, err := fill(sim, c)
	if err != nil {
		return err
	}
	// The context of requests ends open log streams on exit, but only once the
	// command is done: it may still send requests while it shuts down.
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	serving, cancelServing := context.WithCancel(context.WithoutCancel(ctx))
	defer cancelServing()
	api, err := serve(serving, "listen", c.listen, delayed(sim, c.latency))
	if err != nil {
		return err
	}
	servers := []*server{api}
	line := fmt.Sprintf("balenasim serves %s at http://%s", what, api.address)
	if c.admin != "" {
		admin, err := serve(serving, "admin", c.admin, sim.AdminHandler())
		if err != nil {
			cancelServing()
			return errors.Join(err, api.stop())
		}
		servers = append(servers, admin)
		line += fmt.Sprintf(", admin at http://%s", admin.address)
	}
	fmt.Fprintln(stdout, line)
	if c.dataset == "" && c.speed > 0 {
		go sim.Run(ctx, c.speed)
	}
	ended := make(chan error, len(servers))
	for _, s := range servers {
		go func() { ended <- <-s.done }()
	}
	var command chan error // nil, and never ready, without a command
	if c.command != nil {
		command = make(chan error, 1)
		go func() { command <- runCommand(ctx, c.command, "http://"+api.address.String(), c.token, stdout, stderr) }()
	}
	select {
	case <-ctx.Done():
	case err = <-ended:
	case err = <-command:
		command = nil
	}
	cancel()
	if command != nil {
		err = errors.Join(err, <-command)
	}
	cancelServing()
	for _, s := range servers {
		err = errors.Join(err, s.stop())
	}
	return err
}

// delayed delays each request by the latency.
func delayed(h http.Handler, latency time.Duration) http.Handler {
	if latency == 0 {
		return h
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		select {
		case <-time.After(latency):
			h.ServeHTTP(w, r)
		case <-r.Context().Done():
		}
	})
}

// fill adds the rows to the simulator and returns a description of them.
func fill(sim *balenasim.Simulator, c config) (string, error) {
	if c.dataset != "" {
		if err := sim.Load(os.DirFS(c.dataset)); err != nil {
			return "", fmt.Errorf("--dataset %q: %w", c.dataset, err)
		}
		return fmt.Sprintf("%s (%d fleets, %d devices)", c.dataset, sim.Count("application"), sim.Count("device")), nil
	}
	sc, err := c.playedScenario()
	if err != nil {
		return "", err
	}
	if err := sim.Play(sc); err != nil {
		return "", err
	}
	return fmt.Sprintf("scenario %s (%d fleets, %d devices)", c.scenario, sc.Fleets, sc.Devices), nil
}

type server struct {
	http    *http.Server
	address net.Addr
	done    chan error
}

func serve(ctx context.Context, name, address string, h http.Handler) (*server, error) {
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", address)
	if err != nil {
		return nil, fmt.Errorf("--%s %q: %w; choose another port, or 0 for a free one", name, address, err)
	}
	s := &server{
		http: &http.Server{
			Handler: h, IdleTimeout: idleTimeout, ReadHeaderTimeout: headerTimeout, MaxHeaderBytes: maxHeaders,
			BaseContext: func(net.Listener) context.Context { return ctx },
			ErrorLog:    slog.NewLogLogger(slog.DiscardHandler, slog.LevelError),
		},
		address: listener.Addr(),
		done:    make(chan error, 1),
	}
	go func() {
		err := s.http.Serve(listener)
		if errors.Is(err, http.ErrServerClosed) {
			err = nil
		}
		s.done <- err
	}()
	return s, nil
}

// stop shuts down gracefully, within stopTimeout.
func (s *server) stop() error {
	ctx, cancel := context.WithTimeout(context.Background(), stopTimeout)
	defer cancel()
	if err := s.http.Shutdown(ctx); err != nil {
		return s.http.Close()
	}
	return nil
}

func requestLogger(format string, w io.Writer) *slog.Logger {
	switch format {
	case "json":
		return slog.New(slog.NewJSONHandler(w, nil))
	case "text":
		return slog.New(slog.NewTextHandler(w, nil))
	}
	return nil
}

func logRequest(log *slog.Logger, r balenasim.Request) {
	attrs := []any{"method", r.Method, "target", r.Target, "status", r.Status, "rows", r.Rows,
		"bytes", r.Bytes, "duration", r.Duration.Round(time.Microsecond)}
	if r.Fault != "" {
		attrs = append(attrs, "fault", r.Fault)
	}
	if r.Panic != "" {
		attrs = append(attrs, "panic", r.Panic)
	}
	log.Info("request", attrs...)
}
