package balenaclient

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// EnvOrigin says where a variable is set.
type EnvOrigin string

// Origins of variables. Each overrides those below it (balena's documentation, "Environment and service variables").
const (
	FromDeviceService EnvOrigin = "device service"
	FromDevice        EnvOrigin = "device"
	FromFleetService  EnvOrigin = "fleet service"
	FromFleet         EnvOrigin = "fleet"
)

var envOrigins = []EnvOrigin{FromDeviceService, FromDevice, FromFleetService, FromFleet}

// EffectiveVariable is a variable as a service sees it.
type EffectiveVariable struct {
	Value  string
	Origin EnvOrigin

	// Hidden lists where else the variable is set, in order of precedence.
	Hidden []EnvOrigin
}

// EffectiveEnv computes the variables that a service on a device sees, and where each is set, with one request. It does not include those
// that balena itself or the image sets. The error is [ErrNoService] if the device's fleet has no such service.
func (c *Client) EffectiveEnv(ctx context.Context, device DeviceID, service string) (map[string]EffectiveVariable, error) {
	settings, err := c.envOf(ctx, device)
	if err != nil {
		return nil, err
	}
	if !slices.Contains(settings.services, service) {
		return nil, fmt.Errorf("device %d has no service %q (it has %s): %w", device, service, orNone(settings.services), ErrNoService)
	}
	env := map[string]EffectiveVariable{}
	for _, origin := range envOrigins {
		for key, value := range settings.at[origin] {
			if key.Service != "" && key.Service != service {
				continue
			}
			if known, ok := env[key.Name]; ok {
				known.Hidden = append(known.Hidden, origin)
				env[key.Name] = known
			} else {
				env[key.Name] = EffectiveVariable{Value: value, Origin: origin}
			}
		}
	}
	return env, nil
}

// envSettings are all variables of a device, by origin.
type envSettings struct {
	at       map[EnvOrigin]EnvMap
	services []string // of the device's fleet, sorted
}

func (c *Client) envOf(ctx context.Context, device DeviceID) (envSettings, error) {
	row, err := c.Devices().Select(deviceUUID).
		Expand(append(deviceVariablesAndServices(), deviceFleet.With(selectFleetEnv()))...).Get(ctx, device)
	if err != nil {
		return envSettings{}, c.DeviceEnv(device).explain(err)
	}
	settings := envSettings{at: map[EnvOrigin]EnvMap{}}
	adder := func(forAll, forService EnvOrigin) func(EnvKey, string) {
		settings.at[forAll], settings.at[forService] = EnvMap{}, EnvMap{}
		return func(key EnvKey, value string) {
			if key.Service == "" {
				settings.at[forAll][key] = value
			} else {
				settings.at[forService][key] = value
			}
		}
	}
	addDeviceEnv(row, adder(FromDevice, FromDeviceService))
	fleet, _ := row.Fleet.Row()
	addFleetEnv(fleet, adder(FromFleet, FromFleetService))
	for _, s := range fleet.Services.Rows {
		settings.services = append(settings.services, s.Name)
	}
	slices.Sort(settings.services)
	return settings, nil
}

// EnvChange says what [Client.OverrideEnv] changed.
type EnvChange struct {
	EnvKey
	Created bool   // whether the device itself had no such variable before
	Old     string // effective value before; may be secret
}

// OverrideError means that several services have a variable, so that it is not clear which one to override. It is [ErrNotUnique] too.
type OverrideError struct {
	Device   DeviceID
	Name     string
	Services []string // those that have a variable of this name; "" stands for all services
}

func (e *OverrideError) Error() string {
	services := slices.Clone(e.Services)
	for i, s := range services {
		if s == "" {
			services[i] = "all services"
		}
	}
	return fmt.Sprintf("variable %q of device %d: %s: it is set for %s: choose one with DeviceEnv(%d).Service(name).Set",
		e.Name, e.Device, ErrNotUnique, strings.Join(services, ", "), e.Device)
}

// Is reports whether target is [ErrNotUnique].
func (e *OverrideError) Is(target error) bool { return target == ErrNotUnique }

// OverrideEnv sets a variable of the fleet or the device to another value on this device, at the level where it is set: for all services,
// or for the one service that has it. If there is no such variable ([ErrNotFound]) or several services have it ([OverrideError]) nothing is
// changed.
func (c *Client) OverrideEnv(ctx context.Context, device DeviceID, name, value string) (EnvChange, error) {
	if err := c.DeviceEnv(device).check(name, value); err != nil {
		return EnvChange{}, err
	}
	settings, err := c.envOf(ctx, device)
	if err != nil {
		return EnvChange{}, err
	}
	// A device's variable for all services overrides a fleet's for one service, but not the device's own for one service.
	found := map[string]bool{}
	has := func(origin EnvOrigin) (any bool) {
		for key := range settings.at[origin] {
			if key.Name == name {
				found[key.Service], any = true, true
			}
		}
		return any
	}
	has(FromDeviceService)
	forAll := has(FromDevice)
	if has(FromFleet) || forAll {
		forAll = true
	} else {
		has(FromFleetService)
	}
	switch {
	case len(found) == 0:
		return EnvChange{}, fmt.Errorf("variable %q of device %d: %w: neither the device nor its fleet has it; DeviceEnv(%d).Set creates it",
			name, device, ErrNotFound, device)
	case len(found) > 1:
		return EnvChange{}, &OverrideError{Device: device, Name: name, Services: slices.Sorted(maps.Keys(found))}
	}
	var change EnvChange
	for service := range found {
		change.EnvKey = EnvKey{service, name}
	}
	own := FromDevice
	if !forAll {
		own = FromDeviceService
	}
	_, had := settings.at[own][change.EnvKey]
	change.Created = !had
	for _, origin := range envOrigins {
		if old, ok := settings.at[origin][change.EnvKey]; ok {
			change.Old = old
			break
		}
	}
	env := c.DeviceEnv(device)
	if change.Service != "" {
		env = env.Service(change.Service)
	}
	if err := env.Set(ctx, name, value); err != nil {
		return EnvChange{}, err
	}
	return change, nil
}

func orNone(names []string) string {
	if len(names) == 0 {
		return "none"
	}
	return strings.Join(names, ", ")
}
