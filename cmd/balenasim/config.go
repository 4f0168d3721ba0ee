package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/otelcol-balena/balenareceiver/balenasim"
)

// config is what the command line says.
type config struct {
	listen, admin string
	token         string
	dataset       string
	scenario      string
	seed          uint64
	fleets        int
	devices       int
	speed         float64
	heartbeat     time.Duration
	latency       time.Duration
	requests      string
	command       []string
}

const usage = `balenasim serves a simulated balena API: the reads, writes, logs and errors of a
real open-balena-api, without an account, a token or a device.

Usage:
  balenasim [flags] [-- COMMAND [ARGUMENT...]]

Without --dataset it makes fleets and lets them live by a scenario:
  balenasim --scenario rollout --fleets 5 --devices 500
  balenasim --scenario my-fleets.yaml --seed 7 --speed 60
With --dataset it serves exactly the rows of a directory:
  balenasim --dataset testdata/conformance/dataset --token secret

Ask it as you would ask the API:
  curl -H 'Authorization: Bearer token' 'http://127.0.0.1:7070/v7/device?$select=device_name,overall_status&$top=3'
With --admin 127.0.0.1:7071 faults can be injected and requests counted:
  curl -d '{"kind":"rate-limit","path":"/v7/device","rate":0.2}' http://127.0.0.1:7071/faults
  curl http://127.0.0.1:7071/counters
With a command after -- that command runs with BALENA_API_URL, BALENA_API_KEY and
BALENA_TOKEN set to the simulator, and both end together:
  balenasim --listen 127.0.0.1:0 -- dist/otelcol-balena --config distribution/otelcol.yaml

Flags:
`

func parse(args []string, out io.Writer) (config, error) {
	var c config
	flags := flag.NewFlagSet("balenasim", flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	flags.StringVar(&c.listen, "listen", "127.0.0.1:7070", "address of the API, as `HOST:PORT`; port 0 takes a free one")
	flags.StringVar(&c.admin, "admin", "", "address of the admin endpoint, as `HOST:PORT`; none if empty")
	flags.StringVar(&c.token, "token", "token", "API `KEY` of the user who sees all fleets")
	flags.StringVar(&c.dataset, "dataset", "", "serve the rows in `DIR`, one JSON file a resource, such as device.json")
	flags.StringVar(&c.scenario, "scenario", "calm", "live by the scenario `FILE|NAME`; shipped are "+strings.Join(balenasim.Scenarios(), ", "))
	flags.Uint64Var(&c.seed, "seed", 1, "repeat the lives and faults of seed `N`")
	flags.IntVar(&c.fleets, "fleets", 0, "make `N` fleets instead of those of the scenario")
	flags.IntVar(&c.devices, "devices", 0, "make `N` devices instead of those of the scenario")
	flags.Float64Var(&c.speed, "speed", 1, "let the fleets live `X` times as fast as time goes by; 0 stops them")
	flags.DurationVar(&c.heartbeat, "log-heartbeat", 58*time.Second, "keep log streams alive with a blank line each `DURATION`")
	flags.DurationVar(&c.latency, "latency", 0, "answer each request `DURATION` later, as a network would")
	flags.StringVar(&c.requests, "requests", "text", "log requests to standard error as `text|json|none`")
	args, c.command = commandIn(args)
	err := flags.Parse(args)
	if errors.Is(err, flag.ErrHelp) {
		fmt.Fprint(out, usage)
		flags.VisitAll(func(f *flag.Flag) { describe(out, f) })
		return c, err
	}
	if err != nil {
		return c, fmt.Errorf("%w; --help lists the flags", err)
	}
	if flags.NArg() > 0 {
		return c, fmt.Errorf("unexpected argument %q; all settings are flags, --help lists them", flags.Arg(0))
	}
	given := map[string]bool{}
	flags.Visit(func(f *flag.Flag) { given[f.Name] = true })
	return c, c.validate(given)
}

// commandIn takes the command after -- off the arguments; it is nil if there is
// no --.
func commandIn(args []string) (flags, command []string) {
	i := slices.Index(args, "--")
	if i < 0 {
		return args, nil
	}
	return args[:i], args[i+1:]
}

// describe writes what a flag is for, with the two dashes that people type.
func describe(out io.Writer, f *flag.Flag) {
	value, text := flag.UnquoteUsage(f)
	fmt.Fprintf(out, "  --%s %s\n        %s", f.Name, value, text)
	if f.DefValue != "" && f.DefValue != "0" && f.DefValue != "0s" {
		fmt.Fprintf(out, " (%s unless given)", f.DefValue)
	}
	fmt.Fprintln(out)
}

func (c *config) validate(given map[string]bool) error {
	if err := address("listen", c.listen); err != nil {
		return err
	}
	if c.admin != "" {
		if err := address("admin", c.admin); err != nil {
			return err
		}
	}
	if c.token == "" || strings.ContainsAny(c.token, " \t\r\n") {
		return fmt.Errorf("--token %q: must be a key without spaces", c.token)
	}
	if c.dataset != "" {
		for _, name := range []string{"scenario", "fleets", "devices", "speed"} {
			if given[name] {
				return fmt.Errorf("--%s and --dataset exclude each other: a dataset is served as it is; leave one out", name)
			}
		}
		info, err := os.Stat(c.dataset)
		switch {
		case err != nil:
			return fmt.Errorf("--dataset %q: %w; give a directory with files such as device.json", c.dataset, err)
		case !info.IsDir():
			return fmt.Errorf("--dataset %q: is no directory; give the directory of the JSON files", c.dataset)
		}
	}
	for name, n := range map[string]int{"fleets": c.fleets, "devices": c.devices} {
		if given[name] && n < 0 {
			return fmt.Errorf("--%s %d: must not be negative", name, n)
		}
	}
	if c.speed < 0 || c.speed > 10_000 {
		return fmt.Errorf("--speed %v: must be from 0 to 10000", c.speed)
	}
	if c.heartbeat <= 0 {
		return fmt.Errorf("--log-heartbeat %s: must be more than 0s", c.heartbeat)
	}
	if c.latency < 0 {
		return fmt.Errorf("--latency %s: must not be negative", c.latency)
	}
	if c.command != nil && len(c.command) == 0 {
		return errors.New("--: no command follows it; leave it out or give one")
	}
	if c.requests != "text" && c.requests != "json" && c.requests != "none" {
		return fmt.Errorf("--requests %q: must be text, json or none", c.requests)
	}
	return nil
}

func address(name, value string) error {
	_, port, err := net.SplitHostPort(value)
	if err == nil {
		if _, err := strconv.ParseUint(port, 10, 16); err == nil {
			return nil
		}
	}
	return fmt.Errorf("--%s %q: is no address; give a host and a port, such as 127.0.0.1:7070", name, value)
}

// playedScenario reads the scenario: of a file if there is one of the name, else
// the shipped one.
func (c *config) playedScenario() (*balenasim.Scenario, error) {
	sc, err := c.readScenario()
	if err != nil {
		return nil, fmt.Errorf("--scenario %q: %w", c.scenario, err)
	}
	if c.fleets > 0 {
		sc.Fleets = c.fleets
	}
	if c.devices > 0 {
		sc.Devices = c.devices
	}
	return sc, sc.Validate()
}

func (c *config) readScenario() (*balenasim.Scenario, error) {
	f, err := os.Open(c.scenario)
	if errors.Is(err, os.ErrNotExist) && !strings.ContainsAny(c.scenario, `/\.`) {
		return balenasim.ShippedScenario(c.scenario)
	}
	if err != nil {
		return nil, fmt.Errorf("%w; give a YAML file or one of %s", err, strings.Join(balenasim.Scenarios(), ", "))
	}
	defer f.Close()
	return balenasim.ReadScenario(f)
}
