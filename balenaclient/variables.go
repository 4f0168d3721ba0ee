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

// Env is the environment of a fleet or a device, or of one of its services: see [Env.Service]. It holds nothing: each method asks
// the API. Values are texts; what they mean is the service's business.
type Env struct {
	client  *Client
	kind    envKind
	id      int64
	service string
}

type envKind int

const (
	fleetEnv envKind = iota
	deviceEnv
	fleetConfig
	deviceConfig
)

// FleetEnv is the environment that all devices of a fleet have.
func (c *Client) FleetEnv(fleet int64) Env { return Env{client: c, kind: fleetEnv, id: fleet} }

// DeviceEnv is what a device changes in and adds to the environment of its fleet.
func (c *Client) DeviceEnv(device int64) Env { return Env{client: c, kind: deviceEnv, id: device} }

// FleetConfig is how supervisor and operating system of all devices of a fleet are configured. It has no services.
func (c *Client) FleetConfig(fleet int64) Env { return Env{client: c, kind: fleetConfig, id: fleet} }

// DeviceConfig is what a device changes in and adds to the configuration of its fleet. It has no services.
func (c *Client) DeviceConfig(device int64) Env {
	return Env{client: c, kind: deviceConfig, id: device}
}

// Service narrows the environment to one service. Without it, variables are for all services; the name "" means that too.
func (e Env) Service(name string) Env {
	e.service = name
	return e
}

func (e Env) String() string {
	owner := [...]string{"environment of fleet", "environment of device", "configuration of fleet", "configuration of device"}[e.kind]
	text := fmt.Sprintf("%s %d", owner, e.id)
	if e.service != "" {
		text += fmt.Sprintf(", service %q", e.service)
	}
	return text
}

// Map returns the variables by name: those for all services or, of one service, those of that service alone. What a service sees in
// the end is [Client.EffectiveEnv].
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

// Set makes a variable or changes its value, also when others do so at the same time. Before anything is sent it is [ErrInvalid] if
// the API would refuse the name or the value. It is [ErrNoService] if the fleet or device does not have the service.
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

// Unset removes a variable. It is [ErrNotFound] if there is none.
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

// EnvMap is an environment with those of its services. Values may be secret.
type EnvMap map[EnvKey]string

// All returns the variables for all services and those of each service, with one request; of one service only its own.
func (e Env) All(ctx context.Context) (EnvMap, error) {
	all := EnvMap{}
	if e.service != "" || e.kind == fleetConfig || e.kind == deviceConfig {
		values, err := e.Map(ctx)
		for name, value := range values {
			all[EnvKey{e.service, name}] = value
		}
		return all, err
	}
	if e.kind == fleetEnv {
		fleet, err := e.client.Fleets().Select(fleetSlug).Expand(fleetVariablesAndServices()...).Get(ctx, e.id)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", e, err)
		}
		addFleetEnv(fleet, func(key EnvKey, value string) { all[key] = value })
		return all, nil
	}
	device, err := e.client.Devices().Select(deviceFleet).Expand(deviceVariablesAndServices()...).Get(ctx, e.id)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", e, err)
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
		// Of a device that has moved, services of its former fleet stay behind for a while.
		if service, ok := install.Service.Row(); ok && service.Fleet.ID == device.Fleet.ID {
			for _, v := range install.Variables.Rows {
				add(EnvKey{service.Name, v.Name}, v.Value)
			}
		}
	}
}

// check reports whether the API would take a variable, without asking it.
func (e Env) check(name, value string) error { return e.rows(0).check(name, value) }

// pairs finds the rows of the environment, for which it may have to find the service.
func (e Env) pairs(ctx context.Context) (pairs, error) {
	switch {
	case e.service == "":
		return e.rows(e.id), nil
	case e.kind == fleetEnv:
		services, err := e.client.Services().Where(serviceFleet.Is(e.id)).Select(serviceName).List(ctx)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", e, err)
		}
		ids := map[string]int64{}
		for _, s := range services {
			ids[s.Name] = s.ID
		}
		return e.ofService(fmt.Sprintf("fleet %d", e.id), ids)
	case e.kind == deviceEnv:
		device, err := e.client.Devices().Select(deviceFleet).Expand(deviceServiceInstalls.With(
			pine.Select[ServiceInstall]().Expand(serviceInstallService.With(pine.Select[Service](serviceName, serviceFleet))))).Get(ctx, e.id)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", e, err)
		}
		ids := map[string]int64{}
		for _, install := range device.ServiceInstalls.Rows {
			if s, ok := install.Service.Row(); ok && s.Fleet.ID == device.Fleet.ID {
				ids[s.Name] = install.ID
			}
		}
		return e.ofService(fmt.Sprintf("device %d", e.id), ids)
	}
	return nil, fmt.Errorf("%s: %w: configuration is not of services", e, ErrInvalid)
}

func (e Env) ofService(owner string, ids map[string]int64) (pairs, error) {
	if id, ok := ids[e.service]; ok {
		return e.rows(id), nil
	}
	return nil, fmt.Errorf("%s has no service %q (it has %s): %w", owner, e.service, orNone(slices.Sorted(maps.Keys(ids))), ErrNoService)
}

// rows are the rows of a parent: of a fleet, a device, a service or a service on a device.
func (e Env) rows(parent int64) pairs {
	switch {
	case e.kind == fleetConfig:
		return pairsOf[FleetConfigVariable]{
			owner: e.String(), rows: e.client.FleetConfigVariables(), of: fleetConfigVariableFleet.Is(parent),
			name: fleetConfigVariableName, value: fleetConfigVariableValue,
			key: func(name string) pine.Key[FleetConfigVariable] {
				return fleetConfigVariableFleet.Key(parent).And(fleetConfigVariableName.Is(name))
			},
			pair: func(v FleetConfigVariable) (string, string) { return v.Name, v.Value },
		}
	case e.kind == deviceConfig:
		return pairsOf[DeviceConfigVariable]{
			owner: e.String(), rows: e.client.DeviceConfigVariables(), of: deviceConfigVariableDevice.Is(parent),
			name: deviceConfigVariableName, value: deviceConfigVariableValue,
			key: func(name string) pine.Key[DeviceConfigVariable] {
				return deviceConfigVariableDevice.Key(parent).And(deviceConfigVariableName.Is(name))
			},
			pair: func(v DeviceConfigVariable) (string, string) { return v.Name, v.Value },
		}
	case e.kind == fleetEnv && e.service == "":
		return pairsOf[FleetVariable]{
			owner: e.String(), rows: e.client.FleetVariables(), of: fleetVariableFleet.Is(parent),
			name: fleetVariableName, value: fleetVariableValue,
			key: func(name string) pine.Key[FleetVariable] {
				return fleetVariableFleet.Key(parent).And(fleetVariableName.Is(name))
			},
			pair: func(v FleetVariable) (string, string) { return v.Name, v.Value },
		}
	case e.kind == fleetEnv:
		return pairsOf[ServiceVariable]{
			owner: e.String(), rows: e.client.ServiceVariables(), of: serviceVariableService.Is(parent),
			name: serviceVariableName, value: serviceVariableValue,
			key: func(name string) pine.Key[ServiceVariable] {
				return serviceVariableService.Key(parent).And(serviceVariableName.Is(name))
			},
			pair: func(v ServiceVariable) (string, string) { return v.Name, v.Value },
		}
	case e.service == "":
		return pairsOf[DeviceVariable]{
			owner: e.String(), rows: e.client.DeviceVariables(), of: deviceVariableDevice.Is(parent),
			name: deviceVariableName, value: deviceVariableValue,
			key: func(name string) pine.Key[DeviceVariable] {
				return deviceVariableDevice.Key(parent).And(deviceVariableName.Is(name))
			},
			pair: func(v DeviceVariable) (string, string) { return v.Name, v.Value },
		}
	default:
		return pairsOf[DeviceServiceVariable]{
			owner: e.String(), rows: e.client.DeviceServiceVariables(), of: deviceServiceVariableServiceInstall.Is(parent),
			name: deviceServiceVariableName, value: deviceServiceVariableValue,
			key: func(name string) pine.Key[DeviceServiceVariable] {
				return deviceServiceVariableServiceInstall.Key(parent).And(deviceServiceVariableName.Is(name))
			},
			pair: func(v DeviceServiceVariable) (string, string) { return v.Name, v.Value },
		}
	}
}

// EnvDiff is what tells two environments apart. It holds no values, so it can be shown. All lists are sorted.
type EnvDiff struct {
	Missing   []EnvKey // only the first has them
	Extra     []EnvKey // only the second has them
	Different []EnvKey // both have them, with different values
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

// Prune removes variables that the environment has beyond those that are applied.
func Prune() CloneOption { return func(c *cloning) { c.prune = true } }

// CloneEnv gives the environment to what from has, with the environments of all services. They may be those of a fleet and a device,
// and of different clients. See [Env.Apply].
func CloneEnv(ctx context.Context, from, to Env, options ...CloneOption) (EnvDiff, error) {
	want, err := from.All(ctx)
	if err != nil {
		return EnvDiff{}, err
	}
	if from.service != "" || to.service != "" {
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

// Apply sets the variables that are missing or different, one after the other, and with [Prune] removes the extra ones. Before it
// changes anything it checks that the API would take all of them and that all services exist; then nothing is changed and the error is
// [ErrInvalid] or [ErrNoService]. It returns what it changed, also when it fails half way.
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
