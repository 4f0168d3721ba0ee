package dashboards

import "slices"

//go:generate go run ./generate

// All are the dashboards.
func All() []Dashboard { return []Dashboard{fleets(), device(), rollout(), collector()} }

// What the variables choose, as label matchers.
const (
	ofFleet  = `balena_organization_handle=~"$organization",balena_fleet_slug=~"$fleet"`
	ofDevice = `balena_fleet_slug=~"$fleet",balena_device_tag_$tag=~"$value"`
)

// one counts series once that several Collectors report: what tells the Collectors apart is aggregated away (docs/scaling-out.md).
func one(series string) string {
	return `max without (instance, pod, replica) (` + series + `)`
}

func organizations() Variable {
	v := choice("organization", "Organization", "", `label_values(balena_fleet_device_registered, balena_organization_handle)`)
	v.AllValue = ".*"
	return v
}

// fleetChoice is a choice of fleets. All is a pattern: a list of hundreds of slugs does not fit into the URL of a query. As slugs begin with
// their organization's handle, it also limits series without a label for the organization.
func fleetChoice() Variable {
	v := choice("fleet", "Fleet", "", `label_values(balena_fleet_device_registered{balena_organization_handle=~"$organization"}, balena_fleet_slug)`)
	v.AllValue = "${organization:regex}/.+"
	return v
}

// tags are a choice of devices by a tag: of which tag, and of its values. Devices without the tag are part of All, and where no tag is a
// label the choice is empty and All is all there is.
func tags() []Variable {
	key := choice("tag", "Tag", `Tags become labels by tags::devices in the receiver's configuration, for example {site: ""}.`, `label_names()`)
	key.Regex, key.Multi, key.IncludeAll, key.Current = "/^balena_device_tag_(.+)$/", false, false, nil
	value := choice("value", "Value", "Values of the tag.",
		`label_values(balena_device_online{balena_fleet_slug=~"$fleet"}, balena_device_tag_$tag)`)
	value.AllValue = ".*"
	return []Variable{key, value}
}

// selection is what every dashboard of fleets has at its top.
func selection(more ...Variable) []Variable {
	return slices.Concat([]Variable{organizations(), fleetChoice()}, tags(), more)
}

func unit(name string) Property { return Property{ID: "unit", Value: name} }
func width(pixels int) Property { return Property{ID: "custom.width", Value: pixels} }

// shown is what an empty cell shows.
func shown(text string) Property { return Property{ID: "noValue", Value: text} }

func cell(kind string) Property {
	return Property{ID: "custom.cellOptions", Value: map[string]any{"type": kind}}
}
func colored(steps ...Step) Property {
	return Property{ID: "thresholds", Value: Thresholds{Mode: "absolute", Steps: steps}}
}
func link(title, url string) Property {
	return Property{ID: "links", Value: []map[string]any{{"title": title, "url": url, "targetBlank": false}}}
}

var (
	statusColors = [][2]string{
		{"operational", "green"}, {"updating", "blue"}, {"configuring", "light-blue"}, {"reduced-functionality", "orange"}, {"disconnected", "red"},
		{"post-provisioning", "purple"}, {"inactive", "#888888"},
	}
	rolloutColors = [][2]string{
		{"on_target", "green"}, {"updating", "blue"}, {"pinned", "purple"}, {"behind", "orange"}, {"failing", "red"}, {"unreachable", "#888888"},
	}
)

const toDevice = "/d/balena-device?${datasource:queryparam}&var-fleet=${__data.fields.Fleet:percentencode}" +
	"&var-device=${__data.fields.UUID:percentencode}&${__url_time_range}"

// firing are the alerts of the fleets, and those that concern no single fleet: the API, the key, a site, the VPN.
const firing = `ALERTS{alertname=~"Balena.+",alertstate="firing",balena_fleet_slug=~"$fleet|"}`

func fleets() Dashboard {
	online, registered := one(`balena_devices_online{`+ofFleet+`}`), one(`balena_fleet_device_registered{`+ofFleet+`}`)
	onlineShare := online + ` / (` + registered + ` > 0)` // a fleet may be empty
	return dashboard("balena-fleets", "balena / Fleets", "Which fleet has a problem, and what kind of problem it is. Works with the metrics that are on by default.",
		selection(),
		[]Panel{
			stat("Online", "Part of the registered devices that is online.",
				`sum(`+online+`) / (sum(`+registered+`) > 0)`, 4).
				share().decimals(1).from("red", at(0.8, "orange"), at(0.93, "green")),
			stat("Offline", "Registered devices that are not online, with those that are dead or were never connected.",
				`sum(`+registered+`) - sum(`+online+`)`, 4).
				from("green", at(1, "#4a6a52"), at(20, "orange"), at(50, "red")),
			stat("Lost in the last hour", "Disconnections less reconnections within an hour.",
				`clamp_min(sum(`+one(`increase(balena_fleet_device_disconnections_total{`+ofFleet+`}[1h])`)+`)`+
					` - sum(`+one(`increase(balena_fleet_device_reconnections_total{`+ofFleet+`}[1h])`)+`), 0)`, 4).
				decimals(0).from("green", at(3, "orange"), at(10, "red")),
			stat("At risk", "Devices with the VPN or the API heartbeat, but not both.",
				`sum(`+one(`balena_fleet_device_status{`+ofFleet+`,balena_device_status="reduced-functionality"}`)+`)`, 4).
				from("green", at(5, "orange"), at(20, "red")),
			stat("Behind or failing", "Devices that can be reached and neither run their fleet's target release nor update to it.",
				`sum(`+one(`balena_fleet_device_rollout_state{`+ofFleet+`,balena_device_rollout_state=~"behind|failing"}`)+`)`, 4).
				from("green", at(1, "orange"), at(20, "red")),
			stat("Alerts", "Alerts of observability/rules that fire for these fleets, or for no fleet in particular.",
				`count(`+firing+`) or vector(0)`, 4).
				from("green", at(1, "orange"), at(10, "red")),
		},
		[]Panel{
			bars("Online now, by fleet", "Part of each fleet's registered devices that is online. The worst is at the top.",
				`sort(`+onlineShare+`)`, "{{balena_fleet_slug}}", 8, 9).
				share().decimals(0).from("red", at(0.7, "orange"), at(0.9, "green")),
			curves("Online, by fleet", "A step down is an outage; a slope is devices that are lost one by one.", 16, 9).
				query(onlineShare, "{{balena_fleet_slug}}").share(),
		},
		[]Panel{
			stacked("Devices by status", "balena's overall status.", 12, 8).
				query(`sum by (balena_device_status) (`+one(`balena_fleet_device_status{`+ofFleet+`}`)+`)`, "{{balena_device_status}}").colors(statusColors...),
			stacked("Rollout", "Devices by their state in the rollout of their fleet's target release.", 12, 8).
				query(`sum by (balena_device_rollout_state) (`+one(`balena_fleet_device_rollout_state{`+ofFleet+`}`)+`)`, "{{balena_device_rollout_state}}").
				colors(rolloutColors...),
		},
		[]Panel{
			curves("Disconnections in 10 minutes, by fleet", "Many at once are one cause.", 12, 8).
				query(one(`increase(balena_fleet_device_disconnections_total{`+ofFleet+`}[10m])`), "{{balena_fleet_slug}}").min(0).decimals(0),
			table("Incidents", "Alerts of observability/rules that fire now for these fleets, or for no fleet in particular.",
				`sum by (alertname, severity, balena_fleet_slug, balena_device_name) (`+firing+`)`, 12, 8,
				column{"severity", "Severity"}, column{"alertname", "Alert"}, column{"balena_fleet_slug", "Fleet"}, column{"balena_device_name", "Device"}).
				empty("No alert fires", "alerts fire at times only").column("Severity", width(100)).
				column("Fleet", shown("–")).column("Device", shown("–")),
		},
		[]Panel{
			table("Offline devices", "Those lost last are at the top. Devices that were never connected are not listed.",
				`sort(time() - `+one(`balena_device_last_connectivity_event_timestamp_seconds{`+ofDevice+`}`)+
					` and on (balena_device_uuid) `+one(`balena_device_online{`+ofDevice+`}`)+` == 0)`, 12, 9,
				column{"balena_device_name", "Device"}, column{"balena_device_uuid", "UUID"}, column{"balena_fleet_slug", "Fleet"},
				column{"Value", "Offline for"}).
				empty("All devices are online", "").
				column("Offline for", unit("s"), width(140), cell("color-text"), colored(Step{Color: "red"}, at(86400, "orange"), at(7*86400, "#888888"))).
				column("Device", link("Device", toDevice)).column("UUID", width(80)),
			table("Releases in use", "How many devices run which release.",
				`sort_desc(`+one(`balena_release_device_running{balena_fleet_slug=~"$fleet"}`)+` > 0)`, 12, 9,
				column{"balena_fleet_slug", "Fleet"}, column{"balena_release_version", "Release"}, column{"Value", "Devices"}).
				column("Devices", width(100)),
		},
	)
}

func device() Dashboard {
	const of = `{balena_device_uuid="$device"}`
	// Devices are listed by name and chosen by UUID: two may have the same name.
	devices := choice("device", "Device", "",
		`query_result(max by (balena_device_name, balena_device_uuid) (balena_device_online{`+ofDevice+`}))`)
	devices.Regex = `/balena_device_name="(?<text>[^"]+)|balena_device_uuid="(?<value>[^"]+)/g`
	devices.Multi, devices.IncludeAll, devices.Current = false, false, nil
	const more = " Needs metrics that are off by default: "
	optional := func(p Panel, metrics string) Panel {
		p.Description += more + metrics + "."
		return p
	}
	return dashboard("balena-device", "balena / Device", "One device through time. Hardware and services need metrics that are off by default; each panel names them.",
		selection(devices),
		[]Panel{
			stat("Connection", "Whether the device is online.", `max(balena_device_online`+of+`)`, 4).words("offline", "red", "online", "green").from("red", at(1, "green")),
			stat("Since", "Time since the connection last changed.", `time() - max(balena_device_last_connectivity_event_timestamp_seconds`+of+`)`, 4).
				unit("s").decimals(1).from("blue"),
			stat("Disconnections in 24 hours", "How often the device went offline.", `max(resets(balena_device_online`+of+`[24h]))`, 4).from("green", at(6, "orange"), at(24, "red")),
			stat("Storage", "Used part of the data partition.", `max(balena_device_storage_utilization_ratio`+of+`)`, 4).
				share().decimals(0).from("green", at(0.7, "orange"), at(0.9, "red")),
			optional(stat("Temperature", "Of the CPU, in steps of 5 °C.", `max(balena_device_cpu_temperature_celsius`+of+`)`, 4).
				unit("celsius").from("green", at(70, "orange"), at(80, "red")), "balena.device.cpu.temperature"),
			optional(stat("Power supply", "Whether the device reports under-voltage.", `max(balena_device_undervoltage`+of+`)`, 4).
				words("good", "green", "too weak", "red").from("green", at(1, "red")), "balena.device.undervoltage"),
		},
		[]Panel{
			stacked("Status", "balena's overall status: the color is the state.", 12, 7).
				query(`max by (balena_device_status) (balena_device_status`+of+`)`, "{{balena_device_status}}").max(1).decimals(0).colors(statusColors...),
			table("Software", "What runs on the device, and what should.", one(`balena_device_info`+of), 12, 7,
				column{"balena_device_type", "Type"}, column{"balena_os_version", "OS"}, column{"balena_supervisor_version", "Supervisor"},
				column{"balena_release_version", "Release"}, column{"balena_target_release_version", "Target"}, column{"balena_device_pinned", "Pinned"}).
				column("Type", width(110)).column("OS", width(170)).column("Supervisor", width(95)).column("Release", width(75)).column("Target", width(75)),
		},
		[]Panel{
			optional(curves("CPU", "In steps of 20 %: devices report larger changes only.", 12, 8).
				query(`max(balena_device_cpu_utilization_ratio`+of+`)`, "used").share(), "balena.device.cpu.utilization"),
			optional(curves("Temperature over time", "Of the CPU, in steps of 5 °C.", 12, 8).
				query(`max(balena_device_cpu_temperature_celsius`+of+`)`, "CPU").unit("celsius").from("green", at(80, "red")), "balena.device.cpu.temperature"),
		},
		[]Panel{
			optional(curves("Memory", "In steps of 10 MiB.", 12, 8).
				query(`max(balena_device_memory_usage_bytes`+of+`)`, "used").query(`max(balena_device_memory_limit_bytes`+of+`)`, "available").
				unit("bytes").min(0), "balena.device.memory.usage, balena.device.memory.limit"),
			curves("Storage over time", "Used part of the data partition.", 12, 8).
				query(`max(balena_device_storage_utilization_ratio`+of+`)`, "used").share(),
		},
		[]Panel{
			optional(table("Services", "Status of each service's container.", one(`balena_device_service_status`+of)+` == 1`, 12, 7,
				column{"balena_service_name", "Service"}, column{"balena_service_status", "Status"}), "balena.device.service.status"),
			optional(curves("Update", "Progress of the release's download. Absent while nothing is downloaded.", 12, 7).
				query(`max(balena_device_update_progress_ratio`+of+`)`, "progress").share().empty("No update in progress", "most of the time none is"), "balena.device.update.progress"),
		},
	)
}

func rollout() Dashboard {
	state := func(states string) string {
		return `sum(` + one(`balena_fleet_device_rollout_state{`+ofFleet+`,balena_device_rollout_state=~"`+states+`"}`) + `)`
	}
	onTarget := func(by string) string {
		of := `balena_fleet_device_rollout_state{` + ofFleet + `,balena_device_rollout_state`
		return `sum` + by + ` (` + one(of+`="on_target"}`) + `) / (sum` + by + ` (` + one(of+`!~"pinned|unreachable"}`) + `) > 0)`
	}
	targeted := one(`balena_device_info{` + ofDevice + `,balena_target_release_version!=""}`) // a fleet may have no target
	return dashboard("balena-rollout", "balena / Rollout", "How far the current releases have got, and which devices hold them up. Works with the metrics that are on by default.",
		selection(),
		[]Panel{
			stat("Progress", "Part of the devices that run their fleet's target release, of those that can be reached and are not pinned.", onTarget(""), 4).
				share().decimals(1).from("blue", at(1, "green")),
			stat("Updating", "Devices with an update in progress.", state("updating"), 4).from("#4a5a6a", at(1, "blue")),
			stat("Behind", "Devices that can be reached, and have not begun.", state("behind"), 4).from("green", at(1, "orange")),
			stat("Failing", "Devices that rejected or aborted the update.", state("failing"), 4).from("green", at(1, "red")),
			stat("Unreachable", "Devices that do not run the target and are not connected.", state("unreachable"), 4).from("green", at(1, "#777777")),
			stat("Pinned", "Devices that are pinned to another release.", state("pinned"), 4).from("green", at(1, "purple")),
		},
		[]Panel{
			bars("Progress now, by fleet", "The one that is furthest behind is at the top.", `sort(`+onTarget(" by (balena_fleet_slug)")+`)`, "{{balena_fleet_slug}}", 8, 9).
				share().decimals(0).from("orange", at(0.9, "blue"), at(1, "green")),
			curves("Progress, by fleet", "A curve that stays below 100 % is a rollout that is stuck.", 16, 9).
				query(onTarget(" by (balena_fleet_slug)"), "{{balena_fleet_slug}}").share(),
		},
		[]Panel{
			stacked("Devices by rollout state", "", 12, 8).
				query(`sum by (balena_device_rollout_state) (`+one(`balena_fleet_device_rollout_state{`+ofFleet+`}`)+`)`, "{{balena_device_rollout_state}}").
				colors(rolloutColors...),
			curves("Failing, by fleet", "Devices that rejected or aborted the update.", 12, 8).
				query(one(`balena_fleet_device_rollout_state{`+ofFleet+`,balena_device_rollout_state="failing"}`), "{{balena_fleet_slug}}").min(0).decimals(0),
		},
		[]Panel{
			table("Stragglers", "Devices that are online and do not run the release that they should.",
				`label_replace(`+targeted+`, "release", "$1", "balena_release_version", "(.*)")`+
					` unless on (balena_device_uuid, release) label_replace(`+targeted+`, "release", "$1", "balena_target_release_version", "(.*)")`+
					` and on (balena_device_uuid) balena_device_online == 1`, 12, 9,
				column{"balena_device_name", "Device"}, column{"balena_device_uuid", "UUID"}, column{"balena_fleet_slug", "Fleet"},
				column{"balena_release_version", "Runs"}, column{"balena_target_release_version", "Should run"}).
				empty("No stragglers", "no device may be behind").column("Device", link("Device", toDevice)).column("UUID", width(80)),
			table("Target releases", "What each fleet should run.", one(`balena_fleet_target_release_info{`+ofFleet+`}`), 12, 9,
				column{"balena_fleet_slug", "Fleet"}, column{"balena_release_version", "Target"}),
		},
		[]Panel{
			stacked("Devices by release", "How many devices run which release.", 24, 8).
				query(`sum by (balena_release_version) (`+one(`balena_release_device_running{balena_fleet_slug=~"$fleet"}`)+`) > 0`, "{{balena_release_version}}"),
		},
	)
}

func collector() Dashboard {
	own := func(name, suffix string) string {
		return `{__name__=~"otelcol_receiver_balena_` + name + `|otelcol_receiver_balena_` + name + suffix + `"}`
	}
	requests, waits := own("api_requests", "_total"), own("api_wait_time", "_seconds_total")
	const ofOwn = " From the Collector's own metrics."
	return dashboard("balena-collector", "balena / Collector", "Whether the watching is healthy, and what it costs the API. Requests need the Collector's own metrics (port 8888).",
		nil,
		[]Panel{
			stat("Last scrape", "Whether all requests of the last scrape succeeded.", `min(balena_scrape_complete)`, 4).words("incomplete", "red", "complete", "green").from("red", at(1, "green")),
			stat("Last complete scrape", "How long ago it was.", `time() - min(balena_scrape_last_complete_timestamp_seconds)`, 4).
				unit("s").decimals(0).from("green", at(300, "orange"), at(1800, "red")),
			stat("Coverage", "Part of the expected data points that the last scrape produced."+ofOwn, `min(otelcol_receiver_balena_scrape_coverage)`, 4).
				share().decimals(1).from("red", at(0.99, "orange"), at(1, "green")),
			stat("Requests per hour", "To the balena API."+ofOwn, `sum(rate(`+requests+`[15m])) * 3600`, 4).decimals(0).from("blue"),
			stat("Waiting", "Part of the time that requests waited for rate limits or retries."+ofOwn, `sum(rate(`+waits+`[15m]))`, 4).
				unit("percentunit").min(0).decimals(1).from("green", at(0.1, "orange"), at(0.5, "red")),
			stat("Key expires in", "The first of the keys of the receiver's user to expire.", `min(balena_api_key_expiry_timestamp_seconds) - time()`, 4).
				unit("s").decimals(1).empty("does not expire", "not every key expires").from("red", at(3*86400, "orange"), at(14*86400, "green")),
		},
		[]Panel{
			curves("Complete scrapes", "1 if all requests of a scrape succeeded.", 12, 8).
				query(`balena_scrape_complete`, "{{balena_receiver_name}}").min(0).max(1).decimals(0),
			curves("Failing requests", "Which kinds of requests fail, and how. Nothing is shown while all succeed.", 12, 8).
				query(`max by (balena_request_kind, error_type) (balena_scrape_failure) > 0`, "{{balena_request_kind}}: {{error_type}}").
				min(0).decimals(0).empty("No request fails", "requests fail at times only"),
		},
		[]Panel{
			stacked("Requests per minute, by resource", "What a scrape costs."+ofOwn, 12, 8).
				query(`sum by (balena_api_resource) (rate(`+requests+`[5m])) * 60`, "{{balena_api_resource}}"),
			stacked("Requests per minute, by result", "By HTTP status, or none if there was no response."+ofOwn, 12, 8).
				query(`sum by (http_response_status_code) (rate(`+requests+`[5m])) * 60`, "{{http_response_status_code}}").colors([2]string{"200", "green"}),
		},
		[]Panel{
			curves("Retries per minute", "By resource."+ofOwn, 8, 8).
				query(`sum by (balena_api_resource) (rate(`+own("api_retries", "_total")+`[5m])) * 60`, "{{balena_api_resource}}").min(0),
			curves("Received per second", "Bytes of responses, as sent."+ofOwn, 8, 8).
				query(`sum by (balena_api_resource) (rate(`+own("api_bytes", "_bytes_total")+`[5m]))`, "{{balena_api_resource}}").unit("Bps").min(0),
			curves("Series", "What the receiver stores in Prometheus, without what the rules record.", 8, 8).
				query(`count({__name__=~"balena_[^:]+"})`, "series").min(0).decimals(0),
		},
	)
}
