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

// config holds the command line.
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

const usage = `balenasim simulates the balena API: reads, writes, logs and errors of an
openBalena server, without an account, a token or devices.

Usage:
  balenasim [flags] [-- COMMAND [ARGUMENT...]]

By default it simulates the fleets of a scenario:
  balenasim --scenario rollout --fleets 5 --devices 500
  balenasim --scenario my-fleets.yaml --seed 7 --speed 60
With --dataset it serves the rows in a directory:
  balenasim --dataset testdata/conformance/dataset --token secret

Query it like the real API:
  curl -H 'Authorization: Bearer token' 'http://127.0.0.1:7070/v7/device?$select=device_name,overall_status&$top=3'
With --admin 127.0.0.1:7071, inject faults and count requests:
  curl -d '{"kind":"rate-limit","path":"/v7/device","rate":0.2}' http://127.0.0.1:7071/faults
  curl http://127.0.0.1:7071/counters
A command after -- runs with BALENA_API_URL, BALENA_API_KEY and BALENA_TOKEN set
to the simulator's, and both exit together:
  balenasim --listen 127.0.0.1:0 -- dist/otelcol-balena --config distribution/otelcol.yaml

Flags:
`

func parse(args []string, out io.Writer) (config, error) {
	var c config
	flags := flag.NewFlagSet("balenasim", flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	flags.StringVar(&c.listen, "listen", "127.0.0.1:7070", "serve the API at `HOST:PORT`; port 0 picks a free port")
	flags.StringVar(&c.admin, "admin", "", "serve the admin endpoint at `HOST:PORT`")
	flags.StringVar(&c.token, "token", "token", "accept `KEY` as the API key of the user, who can read all fleets")
	flags.StringVar(&c.dataset, "dataset", "", "serve the rows in `DIR`, which has one JSON file per resource, such as device.json")
	flags.StringVar(&c.scenario, "scenario", "calm", "simulate the scenario `FILE|NAME`; shipped are "+strings.Join(balenasim.Scenarios(), ", "))
	flags.Uint64Var(&c.seed, "seed", 1, "seed the random source with `N`; equal seeds give equal runs")
	flags.IntVar(&c.fleets, "fleets", 0, "override the scenario's number of fleets with `N`")
	flags.IntVar(&c.devices, "devices", 0, "override the scenario's number of devices with `N`")
	flags.Float64Var(&c.speed, "speed", 1, "run the scenario at `X` times real time; 0 freezes it")
	flags.DurationVar(&c.heartbeat, "log-heartbeat", 58*time.Second, "send a blank line to log streams every `DURATION`")
	flags.DurationVar(&c.latency, "latency", 0, "delay each response by `DURATION`")
	flags.StringVar(&c.requests, "requests", "text", "log requests to standard error in the format `text|json|none`")
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

// commandIn splits the arguments at --. The command is nil if there is no --.
func commandIn(args []string) (flags, command []string) {
	i := slices.Index(args, "--")
	if i < 0 {
		return args, nil
	}
	return args[:i], args[i+1:]
}

// describe writes the description of a flag, with two dashes.
func describe(out io.Writer, f *flag.Flag) {
	value, text := flag.UnquoteUsage(f)
	fmt.Fprintf(out, "  --%s %s\n        %s", f.Name, value, text)
	if f.DefValue != "" && f.DefValue != "0" && f.DefValue != "0s" {
		fmt.Fprintf(out, " (default %s)", f.DefValue)
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
		return fmt.Errorf("--token %q: must be a key without whitespace", c.token)
	}
	if c.dataset != "" {
		for _, name := range []string{"scenario", "fleets", "devices", "speed"} {
			if given[name] {
				return fmt.Errorf("--%s and --dataset are mutually exclusive: a dataset is served unchanged; remove one", name)
			}
		}
		info, err := os.Stat(c.dataset)
		switch {
		case err != nil:
			return fmt.Errorf("--dataset %q: %w; give a directory with files such as device.json", c.dataset, err)
		case !info.IsDir():
			return fmt.Errorf("--dataset %q: not a directory; give the directory of the JSON files", c.dataset)
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
		return errors.New("--: no command follows; add one or remove --")
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
	return fmt.Errorf("--%s %q: not an address; give a host and a port, such as 127.0.0.1:7070", name, value)
}

// playedScenario reads the scenario from a file if there is one of that name, and
// otherwise returns the shipped one.
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
