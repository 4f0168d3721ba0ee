package receiver

import (
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/receiver"

	"github.com/otelcol-balena/balenareceiver/receiver/internal/history"
	"github.com/otelcol-balena/balenareceiver/receiver/internal/metadata"
)

// eventRecorder turns changes into log records.
type eventRecorder struct {
	lb      *metadata.LogsBuilder
	enabled map[string]bool
	single  bool // whether devices of an outage have events of their own
}

func newEventRecorder(cfg *Config, settings receiver.Settings) *eventRecorder {
	return &eventRecorder{
		lb:      metadata.NewLogsBuilder(cfg.LogsBuilderConfig, settings),
		enabled: enabledIn(cfg.Events),
		single:  cfg.EventDetection.OutageDeviceEvents,
	}
}

// record returns the records of the changes whose events are enabled, in their order. Changes of one thing that follow each other share
// its resource.
func (r *eventRecorder) record(changes []history.Change) plog.Logs {
	var last history.Resource
	pending := false
	emit := func() {
		if pending {
			r.lb.EmitForResource(metadata.WithLogsResource(r.resource(last)))
		}
		pending = false
	}
	for _, c := range changes {
		if !r.wants(c) {
			continue
		}
		if !sameResource(last, c.Resource) {
			emit()
		}
		last, pending = c.Resource, true
		r.lb.AppendLogRecord(newRecord(c))
	}
	emit()
	return r.lb.Emit()
}

// wants reports whether a change is told.
func (r *eventRecorder) wants(c history.Change) bool {
	return r.enabled[string(c.Kind)] && (r.single || c.Group == "" || c.Resource.Device == nil)
}

// sameResource reports whether two changes are about the same thing under the same name.
func sameResource(a, b history.Resource) bool {
	return a.Device != nil && b.Device != nil &&
		a.Device.UUID == b.Device.UUID && a.Device.Name == b.Device.Name && a.Device.FleetSlug == b.Device.FleetSlug
}

func (r *eventRecorder) resource(of history.Resource) pcommon.Resource {
	rb := r.lb.NewResourceBuilder()
	switch {
	case of.Device != nil:
		return deviceResource(rb, *of.Device)
	case of.Fleet != nil:
		return fleetResource(rb, *of.Fleet)
	case of.Release != nil:
		return releaseResource(rb, *of.Release)
	}
	return receiverResource(rb, *of.Account)
}

func newRecord(c history.Change) plog.LogRecord {
	record := plog.NewLogRecord()
	record.SetEventName(string(c.Kind))
	if c.At != 0 {
		record.SetTimestamp(timestamp(c.At))
	}
	record.SetObservedTimestamp(timestamp(c.Observed))
	severity := severityOf(c)
	record.SetSeverityNumber(severity)
	record.SetSeverityText(severity.String())
	record.Body().SetStr(c.Sentence())
	putAttributes(record.Attributes(), c)
	return record
}

func timestamp(at history.Millis) pcommon.Timestamp {
	return pcommon.NewTimestampFromTime(time.UnixMilli(at))
}

func putAttributes(attributes pcommon.Map, c history.Change) {
	put := func(name, value string) {
		if value != "" {
			attributes.PutStr(name, value)
		}
	}
	put("log.record.uid", c.ID)
	put("balena.change.from", c.From)
	put("balena.change.to", c.To)
	put("balena.change.group", c.Group)
	put("balena.service.name", c.Service)
	put("balena.api_key.name", c.APIKey)
	if many := c.Many; many != nil {
		attributes.PutInt("balena.affected.devices", int64(many.Devices))
		attributes.PutInt("balena.affected.of", int64(many.Of))
		if many.Fleets > 0 {
			attributes.PutInt("balena.affected.fleets", int64(many.Fleets))
		}
		if len(many.Tags) > 0 {
			tags := attributes.PutEmptySlice("balena.affected.tags")
			for _, tag := range many.Tags {
				tags.AppendEmpty().SetStr(tag.Attribute + "=" + tag.Value)
			}
		}
	}
	if counts := c.Rollout; counts != nil {
		attributes.PutInt("balena.rollout.on_target", int64(counts.OnTarget))
		attributes.PutInt("balena.rollout.updating", int64(counts.Updating))
		attributes.PutInt("balena.rollout.failing", int64(counts.Failing))
		attributes.PutInt("balena.rollout.behind", int64(counts.Behind))
		attributes.PutInt("balena.rollout.unreachable", int64(counts.Unreachable))
		attributes.PutInt("balena.rollout.pinned", int64(counts.Pinned))
	}
	if d := c.New; d != nil {
		attributes.PutBool("balena.device.online", d.Online)
		put("balena.device.status", d.Status)
		put("balena.os.version", d.OS)
		put("balena.supervisor.version", d.Supervisor)
		put("balena.release.version", d.Running)
	}
}

// severityOf says how much a change matters. What is part of something bigger matters less.
func severityOf(c history.Change) plog.SeverityNumber {
	switch c.Kind {
	case history.FleetDevicesDisconnected, history.AccountDevicesDisconnected:
		return plog.SeverityNumberError
	case history.DeviceDisconnected:
		if c.Group == "" {
			return plog.SeverityNumberWarn
		}
	case history.DeviceUndervoltageDetected, history.DeviceStorageExceeded, history.RolloutStuck, history.BuildFailed, history.APIKeyExpiring:
		return plog.SeverityNumberWarn
	}
	return plog.SeverityNumberInfo
}
