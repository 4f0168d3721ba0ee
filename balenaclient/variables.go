package balenaclient

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/otelcol-balena/balenareceiver/balenaclient/pine"
)

// ErrNoService means that a fleet or device does not have a service of this name. It is [ErrNotFound] too.
var ErrNoService = fmt.Errorf("no such service: %w", ErrNotFound)

// Env is the environment of a fleet or a device, or of one of its services: see [Env.Service]. It caches nothing. Values are strings.
//
// The error of all methods is [ErrNotFound] if there is no such fleet or device, and [ErrNoService] if it has no such service.
type Env struct {
	client  *Client
	kind    envKind
	id      int64
	service string
	scoped  bool // to the service
}

type envKind int

const (
	fleetEnv envKind = iota
	deviceEnv
	fleetConfig
	deviceConfig
)

// FleetEnv returns the environment that all devices of a fleet share.
func (c *Client) FleetEnv(fleet FleetID) Env { return Env{client: c, kind: fleetEnv, id: int64(fleet)} }

// DeviceEnv returns what a device adds to the environment of its fleet, or overrides.
func (c *Client) DeviceEnv(device DeviceID) Env {
	return Env{client: c, kind: deviceEnv, id: int64(device)}
}

// FleetConfig returns the configuration of supervisor and operating system for all devices of a fleet. It has no services.
func (c *Client) FleetConfig(fleet FleetID) Env {
	return Env{client: c, kind: fleetConfig, id: int64(fleet)}
}

// DeviceConfig returns what a device adds to the configuration of its fleet, or overrides. It has no services.
func (c *Client) DeviceConfig(device DeviceID) Env {
	return Env{client: c, kind: deviceConfig, id: int64(device)}
}

// Service returns the environment of one service. Without it variables apply to all services.
func (e Env) Service(name string) Env {
	e.service, e.scoped = name, true
	return e
}

func (e Env) String() string {
	owner := [...]string{"environment of fleet", "environment of device", "configuration of fleet", "configuration of device"}[e.kind]
	text := fmt.Sprintf("%s %d", owner, e.id)
	if e.scoped {
		text += fmt.Sprintf(", service %q", e.service)
	}
	return text
}

// Map returns the variables by name: those for all services, or those of one service alone. What a service sees in the end is
// [Client.EffectiveEnv].
func (e Env) Map(ctx context.Context) (map[string]string, error) {
	rows, err := e.pairs(ctx)
	if err != nil {
		return nil, err
	}
	return rows.all(ctx)
}

// Get returns a variable's value, or [ErrNotFound]. It looks nowhere else.
func (e Env) Get(ctx context.Context, name string) (string, error) {
	rows, err := e.pairs(ctx)
	if err != nil {
		return "", err
	}
	return rows.get(ctx, name)
}

// Set creates a variable or changes its value, and is safe when others do so at the same time. If the API would refuse the name or the
// value, the error is [ErrInvalid] and nothing is sent.
func (e Env) Set(ctx context.Context, name, value string) error {
	if err := e.check(name, value); err != nil {
		return err
	}
	rows, err := e.pairs(ctx)
	if err != nil {
		return err
	}
	return rows.set(ctx, name, value)
}

// Unset deletes a variable. The error is [ErrNotFound] if there is none.
func (e Env) Unset(ctx context.Context, name string) error {
	rows, err := e.pairs(ctx)
	if err != nil {
		return err
	}
	return rows.unset(ctx, name)
}

// EnvKey names a variable of an environment and its services.
type EnvKey struct {
	Service string // "" for all services
	Name    string
}

func (k EnvKey) String() string {
	if k.Service == "" {
		return k.Name
	}
	return k.Service + "/" + k.Name
}

func compareEnvKeys(a, b EnvKey) int {
	return cmp.Or(cmp.Compare(a.Service, b.Service), cmp.Compare(a.Name, b.Name))
}

// EnvMap is an environment together with those of its services. Values may be secret.
type EnvMap map[EnvKey]string

// All returns the variables for all services and those of each service, with one request; for one service, only its own.
func (e Env) All(ctx context.Context) (EnvMap, error) {
	all := EnvMap{}
	if e.scoped || e.kind == fleetConfig || e.kind == deviceConfig {
		values, err := e.Map(ctx)
		for name, value := range values {
			all[EnvKey{e.service, name}] = value
		}
		return all, err
	}
	if e.kind == fleetEnv {
		fleet, err := e.client.AllFleets().Select(fleetSlug).Expand(fleetVariablesAndServices()...).Get(ctx, FleetID(e.id))
		if err != nil {
			return nil, e.explain(err)
		}
		addFleetEnv(fleet, func(key EnvKey, value string) { all[key] = value })
		return all, nil
	}
	device, err := e.client.Devices().Select(deviceFleet).Expand(deviceVariablesAndServices()...).Get(ctx, DeviceID(e.id))
	if err != nil {
		return nil, e.explain(err)
	}
	addDeviceEnv(device, func(key EnvKey, value string) { all[key] = value })
	return all, nil
}

func selectFleetEnv() pine.Query[Fleet] {
	return pine.Select[Fleet](fleetSlug).Expand(fleetVariablesAndServices()...)
}

func fleetVariablesAndServices() []pine.Expansion[Fleet] {
	return []pine.Expansion[Fleet]{
		fleetVariables.With(pine.Select(fleetVariableName, fleetVariableValue)),
		fleetServices.With(pine.Select(serviceName).
			Expand(serviceVariables.With(pine.Select(serviceVariableName, serviceVariableValue)))),
	}
}

func deviceVariablesAndServices() []pine.Expansion[Device] {
	return []pine.Expansion[Device]{
		deviceVariables.With(pine.Select(deviceVariableName, deviceVariableValue)),
		deviceServiceInstalls.With(pine.Select[ServiceInstall]().Expand(
			serviceInstallService.With(pine.Select[Service](serviceName, serviceFleet)),
			serviceInstallVariables.With(pine.Select(deviceServiceVariableName, deviceServiceVariableValue)),
		)),
	}
}

func addFleetEnv(fleet Fleet, add func(EnvKey, string)) {
	for _, v := range fleet.Variables.Rows {
		add(EnvKey{"", v.Name}, v.Value)
	}
	for _, s := range fleet.Services.Rows {
		for _, v := range s.Variables.Rows {
			add(EnvKey{s.Name, v.Name}, v.Value)
		}
	}
}

func addDeviceEnv(device Device, add func(EnvKey, string)) {
	for _, v := range device.Variables.Rows {
		add(EnvKey{"", v.Name}, v.Value)
	}
	for _, install := range device.ServiceInstalls.Rows {
		// A device that has moved keeps the services of its former fleet for a while.
		if service, ok := install.Service.Row(); ok && service.Fleet.ID == device.Fleet.ID {
			for _, v := range install.Variables.Rows {
				add(EnvKey{service.Name, v.Name}, v.Value)
			}
		}
	}
}

// check reports why the API would refuse a variable. It sends nothing.
func (e Env) check(name, value string) error { return e.rows(0).check(name, value) }

// explain says whose environment could not be read.
func (e Env) explain(err error) error {
	if !isNotFound(err) {
		return fmt.Errorf("%s: %w", e, err)
	}
	if e.kind == fleetEnv || e.kind == fleetConfig {
		return fmt.Errorf("fleet %d: %w", e.id, ErrNotFound)
	}
	return fmt.Errorf("device %d: %w", e.id, ErrNotFound)
}

// pairs finds the rows of the environment, which takes a request if it is that of a service.
func (e Env) pairs(ctx context.Context) (pairs, error) {
	switch {
	case !e.scoped:
		return e.rows(e.id), nil
	case e.kind == fleetConfig || e.kind == deviceConfig:
		return nil, fmt.Errorf("%s: %w: configuration has no services", e, ErrInvalid)
	case e.service == "":
		return nil, fmt.Errorf("%s: %w: the name is empty: do not call Service to reach all services", e, ErrInvalid)
	case e.kind == fleetEnv:
		fleet, err := e.client.AllFleets().Select(fleetSlug).Expand(fleetServices.With(pine.Select(serviceName))).Get(ctx, FleetID(e.id))
		if err != nil {
			return nil, e.explain(err)
		}
		ids := map[string]int64{}
		for _, s := range fleet.Services.Rows {
			ids[s.Name] = int64(s.ID)
		}
		return e.ofService(fmt.Sprintf("fleet %d", e.id), ids)
	}
	device, err := e.client.Devices().Select(deviceFleet).Expand(deviceServiceInstalls.With(
		pine.Select[ServiceInstall]().Expand(serviceInstallService.With(pine.Select[Service](serviceName, serviceFleet))))).Get(ctx, DeviceID(e.id))
	if err != nil {
		return nil, e.explain(err)
	}
	ids := map[string]int64{}
	for _, install := range device.ServiceInstalls.Rows {
		if s, ok := install.Service.Row(); ok && s.Fleet.ID == device.Fleet.ID {
			ids[s.Name] = int64(install.ID)
		}
	}
	return e.ofService(fmt.Sprintf("device %d", e.id), ids)
}

func (e Env) ofService(owner string, ids map[string]int64) (pairs, error) {
	if id, ok := ids[e.service]; ok {
		return e.rows(id), nil
	}
	return nil, fmt.Errorf("%s has no service %q (it has %s): %w", owner, e.service, orNone(slices.Sorted(maps.Keys(ids))), ErrNoService)
}

// rows returns the variables of a parent, which is a fleet, a device, a service, or a service on a device.
func (e Env) rows(parent int64) pairs {
	c, owner := e.client, e.String()
	switch {
	case e.kind == fleetConfig:
		return newPairs(owner, FleetID(parent), c.FleetConfigVariables(), fleetConfigVariableFleet, fleetConfigVariableName, fleetConfigVariableValue,
			func(v FleetConfigVariable) (string, string) { return v.Name, v.Value }).ownedBy(c.fleetExists(FleetID(e.id)))
	case e.kind == deviceConfig:
		return newPairs(owner, DeviceID(parent), c.DeviceConfigVariables(), deviceConfigVariableDevice, deviceConfigVariableName, deviceConfigVariableValue,
			func(v DeviceConfigVariable) (string, string) { return v.Name, v.Value }).ownedBy(c.deviceExists(DeviceID(e.id)))
	case e.kind == fleetEnv && !e.scoped:
		return newPairs(owner, FleetID(parent), c.FleetVariables(), fleetVariableFleet, fleetVariableName, fleetVariableValue,
			func(v FleetVariable) (string, string) { return v.Name, v.Value }).ownedBy(c.fleetExists(FleetID(e.id)))
	case e.kind == fleetEnv:
		return newPairs(owner, ServiceID(parent), c.ServiceVariables(), serviceVariableService, serviceVariableName, serviceVariableValue,
			func(v ServiceVariable) (string, string) { return v.Name, v.Value })
	case !e.scoped:
		return newPairs(owner, DeviceID(parent), c.DeviceVariables(), deviceVariableDevice, deviceVariableName, deviceVariableValue,
			func(v DeviceVariable) (string, string) { return v.Name, v.Value }).ownedBy(c.deviceExists(DeviceID(e.id)))
	default:
		return newPairs(owner, ServiceInstallID(parent), c.DeviceServiceVariables(), deviceServiceVariableServiceInstall, deviceServiceVariableName,
			deviceServiceVariableValue, func(v DeviceServiceVariable) (string, string) { return v.Name, v.Value })
	}
}

// EnvDiff is the difference between two environments. It holds no values, so that it can be shown. All lists are sorted.
type EnvDiff struct {
	Missing   []EnvKey // only in the first
	Extra     []EnvKey // only in the second
	Different []EnvKey // in both, with different values
}

// Empty reports whether the environments are the same.
func (d EnvDiff) Empty() bool { return len(d.Missing)+len(d.Extra)+len(d.Different) == 0 }

// DiffEnv compares two environments, for example those of two fleets.
func DiffEnv(first, second EnvMap) EnvDiff {
	var d EnvDiff
	for key, value := range first {
		if other, ok := second[key]; !ok {
			d.Missing = append(d.Missing, key)
		} else if other != value {
			d.Different = append(d.Different, key)
		}
	}
	for key := range second {
		if _, ok := first[key]; !ok {
			d.Extra = append(d.Extra, key)
		}
	}
	for _, keys := range [][]EnvKey{d.Missing, d.Extra, d.Different} {
		slices.SortFunc(keys, compareEnvKeys)
	}
	return d
}

// CloneOption changes what [Env.Apply] and [CloneEnv] do.
type CloneOption func(*cloning)

type cloning struct{ prune bool }

// Prune also deletes the variables that are not among those applied.
func Prune() CloneOption { return func(c *cloning) { c.prune = true } }

// CloneEnv copies the variables of from to to, including those of all services, as [Env.Apply] does. The two may be of a fleet and a
// device, and of different clients.
func CloneEnv(ctx context.Context, from, to Env, options ...CloneOption) (EnvDiff, error) {
	want, err := from.All(ctx)
	if err != nil {
		return EnvDiff{}, err
	}
	if from.scoped || to.scoped {
		renamed := EnvMap{}
		for key, value := range want {
			if key.Service == from.service {
				renamed[EnvKey{to.service, key.Name}] = value
			}
		}
		want = renamed
	}
	return to.Apply(ctx, want, options...)
}

// Apply sets the variables that are missing or different, one after the other, and with [Prune] deletes the others. If the API would
// refuse one ([ErrInvalid]) or a service does not exist ([ErrNoService]) nothing is changed. It returns what it changed, even if it fails
// halfway.
func (e Env) Apply(ctx context.Context, want EnvMap, options ...CloneOption) (EnvDiff, error) {
	var c cloning
	for _, option := range options {
		option(&c)
	}
	have, err := e.All(ctx)
	if err != nil {
		return EnvDiff{}, err
	}
	plan := DiffEnv(want, have)
	if !c.prune {
		plan.Extra = nil
	}
	scopes := map[string]pairs{}
	var faults []error
	for _, key := range slices.Concat(plan.Missing, plan.Different, plan.Extra) {
		scope := e
		if key.Service != "" {
			scope = e.Service(key.Service)
		}
		if err := scope.check(key.Name, want[key]); err != nil {
			faults = append(faults, err)
		}
		if _, known := scopes[key.Service]; !known {
			if scopes[key.Service], err = scope.pairs(ctx); err != nil {
				faults = append(faults, err)
			}
		}
	}
	if err := errors.Join(faults...); err != nil {
		return EnvDiff{}, fmt.Errorf("nothing was changed: %w", err)
	}
	var done EnvDiff
	for _, step := range []struct {
		keys []EnvKey
		done *[]EnvKey
		act  func(pairs, EnvKey) error
	}{
		{plan.Missing, &done.Missing, func(p pairs, k EnvKey) error { return p.set(ctx, k.Name, want[k]) }},
		{plan.Different, &done.Different, func(p pairs, k EnvKey) error { return p.set(ctx, k.Name, want[k]) }},
		{plan.Extra, &done.Extra, func(p pairs, k EnvKey) error { return p.unset(ctx, k.Name) }},
	} {
		for _, key := range step.keys {
			if err := step.act(scopes[key.Service], key); err != nil {
				return done, err
			}
			*step.done = append(*step.done, key)
		}
	}
	return done, nil
}
