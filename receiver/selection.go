package receiver

import (
	"errors"
	"fmt"
	"hash/fnv"
	"strconv"
	"strings"

	"github.com/otelcol-balena/balenareceiver/balenaclient"
	"github.com/otelcol-balena/balenareceiver/balenaclient/device"
	"github.com/otelcol-balena/balenareceiver/balenaclient/devicetag"
	"github.com/otelcol-balena/balenareceiver/balenaclient/fleet"
	"github.com/otelcol-balena/balenareceiver/balenaclient/fleettag"
	"github.com/otelcol-balena/balenareceiver/balenaclient/pine"
)

// selection says which fleets and devices are reported. The server selects by tag and class, so that what is not reported is neither
// sent nor counted. By slug and shard it cannot select.
type selection struct {
	fleetFilter  pine.Filter[balenaclient.Fleet]
	deviceFilter pine.Filter[balenaclient.Device]
	slugs        slugFilter
	shard        ShardConfig
}

func newSelection(cfg *Config) (selection, error) {
	slugs, slugsErr := newSlugFilter("fleets", cfg.Fleets.Include, cfg.Fleets.Exclude)
	fleets, fleetsErr := fleetFilter(cfg.Fleets)
	devices, devicesErr := deviceFilter(cfg.Devices)
	return selection{fleetFilter: fleets, deviceFilter: devices, slugs: slugs, shard: cfg.Shard}, errors.Join(
		slugsErr, fleetsErr, devicesErr,
		checkFilterSize("fleets", len(pine.Where(fleets).String()), `"fleets::include_tags" or "fleets::exclude_tags"`),
		checkFilterSize("devices", len(pine.Where(devices).String()), `"devices::exclude" (exclude many devices by a tag, with "devices::exclude_tags")`),
	)
}

// checkFilterSize checks that a filter fits into the URLs of requests, beside the IDs that they are about.
func checkFilterSize(key string, size int, remedy string) error {
	if size > maxFilterSize {
		return fmt.Errorf("%q: the selection takes %d bytes of each request's URL, of which %d are available: list less in %s", key, size, maxFilterSize, remedy)
	}
	return nil
}

func fleetFilter(cfg FleetsConfig) (filter pine.Filter[balenaclient.Fleet], err error) {
	if !cfg.Archived {
		filter = filter.And(fleet.IsArchived.Eq(false))
	}
	if !cfg.HostApps {
		filter = filter.And(fleet.IsHost.Eq(false))
	}
	if !cfg.Blocks {
		filter = filter.And(fleet.Class.Eq("fleet"))
	}
	has := func(key string, value *string) pine.Filter[balenaclient.Fleet] {
		if value == nil {
			return fleet.Tags.Any(fleettag.Key.Eq(key))
		}
		return fleet.Tags.Any(fleettag.Key.Eq(key), fleettag.Value.Eq(*value))
	}
	tags, err := tagFilter("fleets", cfg.IncludeTags, cfg.ExcludeTags, has)
	return filter.And(tags), err
}

func deviceFilter(cfg DevicesConfig) (pine.Filter[balenaclient.Device], error) {
	filter, err := deviceTagFilter("devices", cfg.IncludeTags, cfg.ExcludeTags)
	for _, uuid := range cfg.Exclude {
		if !isUUID(uuid) {
			err = errors.Join(err, notUUID("devices::exclude", uuid))
		}
	}
	if len(cfg.Exclude) > 0 {
		filter = filter.And(pine.Not(device.UUID.In(cfg.Exclude...)))
	}
	return filter, err
}

func notUUID(key, uuid string) error {
	return fmt.Errorf("%q: %q is not the full UUID of a device: use its 32 or 62 lowercase hexadecimal digits", key, uuid)
}

func isUUID(text string) bool {
	return (len(text) == 32 || len(text) == 62) && strings.Trim(text, "0123456789abcdef") == ""
}

func deviceTagFilter(what string, include, exclude []string) (pine.Filter[balenaclient.Device], error) {
	has := func(key string, value *string) pine.Filter[balenaclient.Device] {
		if value == nil {
			return device.Tags.Any(devicetag.Key.Eq(key))
		}
		return device.Tags.Any(devicetag.Key.Eq(key), devicetag.Value.Eq(*value))
	}
	return tagFilter(what, include, exclude, has)
}

// tagFilter builds a filter from lists of tags, each written as key or key=value.
func tagFilter[R any](
	what string, include, exclude []string, has func(key string, value *string) pine.Filter[R],
) (filter pine.Filter[R], err error) {
	parse := func(list string, tag string) pine.Filter[R] {
		key, value, withValue := strings.Cut(tag, "=")
		if key == "" || strings.ContainsAny(key, " \t\r\n") {
			err = errors.Join(err, fmt.Errorf(`"%s::%s": invalid tag %q: use key or key=value; the key must not contain whitespace`, what, list, tag))
		}
		if !withValue {
			return has(key, nil)
		}
		return has(key, &value)
	}
	for i, tag := range include {
		if one := parse("include_tags", tag); i == 0 {
			filter = one
		} else {
			filter = filter.Or(one)
		}
	}
	for _, tag := range exclude {
		filter = filter.And(pine.Not(parse("exclude_tags", tag)))
	}
	return filter, err
}

// fleets is the query for the fleets, as far as the server can select them.
func (s selection) fleets(client *balenaclient.Client) pine.Query[balenaclient.Fleet] {
	return client.Fleets().Where(s.fleetFilter).PageSize(maxPageSize)
}

// includes reports whether a fleet that the server selected is reported.
func (s selection) includes(row balenaclient.Fleet) bool {
	return s.slugs.matches(row.Slug) && s.shard.includes(row.ID)
}

// includes reports whether a fleet is in the shard. It depends on the fleet's ID alone, so a fleet stays in its shard whatever happens to
// the others.
func (cfg ShardConfig) includes(fleet fleetID) bool {
	if cfg.Total <= 1 {
		return true
	}
	hash := fnv.New64a()
	_, _ = hash.Write([]byte(strconv.FormatInt(int64(fleet), 10))) // never fails
	return hash.Sum64()%uint64(cfg.Total) == uint64(cfg.Index)
}
