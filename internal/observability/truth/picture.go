package truth

import (
	"encoding/json"
	"net/http"
	"time"
)

// ref is the id of a row, 0 if there is none.
type ref int64

// UnmarshalJSON reads an id as v7 writes it: 5, or {"__id": 5} in a reference, which may be null.
func (r *ref) UnmarshalJSON(data []byte) error {
	var to struct {
		ID int64 `json:"__id"`
	}
	if data[0] != '{' {
		return json.Unmarshal(data, (*int64)(r))
	}
	err := json.Unmarshal(data, &to)
	*r = ref(to.ID)
	return err
}

// picture is the state of the account, as the simulator has it.
type picture struct {
	fleets      []fleet // by ascending id
	devices     []device
	deviceTypes map[ref]string
	releases    map[ref]release
	containers  []container
	services    map[ref]service
	images      map[ref]image
	sizes       map[ref][]ref // images by release
	fleetTags   []tagRow
	deviceTags  []tagRow
}

type fleet struct {
	ID       ref    `json:"id"`
	Name     string `json:"app_name"`
	Slug     string `json:"slug"`
	Archived bool   `json:"is_archived"`
	Target   ref    `json:"should_be_running__release"`
}

type device struct {
	ID               ref        `json:"id"`
	UUID             string     `json:"uuid"`
	Name             string     `json:"device_name"`
	Type             ref        `json:"is_of__device_type"`
	Fleet            ref        `json:"belongs_to__application"`
	Online           bool       `json:"is_online"`
	VPN              bool       `json:"is_connected_to_vpn"`
	LastConnectivity *time.Time `json:"last_connectivity_event"`
	LastVPN          *time.Time `json:"last_vpn_event"`
	Heartbeat        string     `json:"api_heartbeat_state"`
	HeartbeatChanged *time.Time `json:"changed_api_heartbeat_state_on__date"`
	Status           string     `json:"overall_status"`
	Progress         *float64   `json:"overall_progress"`
	UpdateStatus     string     `json:"update_status"`
	OS               string     `json:"os_version"`
	Variant          string     `json:"os_variant"`
	Supervisor       string     `json:"supervisor_version"`
	Running          ref        `json:"is_running__release"`
	Pinned           ref        `json:"is_pinned_on__release"`
	CPU              *float64   `json:"cpu_usage"`
	Temperature      *float64   `json:"cpu_temp"`
	MemoryUsage      *float64   `json:"memory_usage"`
	MemoryTotal      *float64   `json:"memory_total"`
	StorageUsage     *float64   `json:"storage_usage"`
	StorageTotal     *float64   `json:"storage_total"`
	Undervolted      bool       `json:"is_undervolted"`
}

type release struct {
	ID        ref        `json:"id"`
	Fleet     ref        `json:"belongs_to__application"`
	Commit    string     `json:"commit"`
	Version   string     `json:"raw_version"`
	Status    string     `json:"status"`
	Final     bool       `json:"is_final"`
	Created   *time.Time `json:"created_at"`
	Finalized *time.Time `json:"is_finalized_at__date"`
	Start     *time.Time `json:"start_timestamp"`
	End       *time.Time `json:"end_timestamp"`
}

type container struct {
	ID        ref        `json:"id"`
	Device    ref        `json:"device"`
	Image     ref        `json:"installs__image"`
	Status    string     `json:"status"`
	Installed *time.Time `json:"install_date"`
	Progress  *float64   `json:"download_progress"`
}

type service struct {
	ID    ref    `json:"id"`
	Fleet ref    `json:"application"`
	Name  string `json:"service_name"`
}

type image struct {
	ID      ref     `json:"id"`
	Service ref     `json:"is_a_build_of__service"`
	Size    *string `json:"image_size"`
}

type tagRow struct {
	Fleet  ref    `json:"application"`
	Device ref    `json:"device"`
	Key    string `json:"tag_key"`
	Value  string `json:"value"`
}

// takePicture reads the account. Fleets that are archived are not part of it, nor is what belongs to them.
func takePicture(sim http.Handler, token string) (*picture, error) {
	p := &picture{
		deviceTypes: map[ref]string{}, releases: map[ref]release{}, services: map[ref]service{}, images: map[ref]image{}, sizes: map[ref][]ref{},
	}
	fleets, err := rows[fleet](sim, token, "/v7/application?$orderby=id%20asc")
	if err != nil {
		return nil, err
	}
	shown := map[ref]bool{}
	for _, f := range fleets {
		if !f.Archived {
			p.fleets = append(p.fleets, f)
			shown[f.ID] = true
		}
	}
	devices, err := rows[device](sim, token, "/v7/device?$orderby=id%20asc")
	if err != nil {
		return nil, err
	}
	for _, d := range devices {
		if shown[d.Fleet] {
			p.devices = append(p.devices, d)
		}
	}
	types, err := rows[struct {
		ID   ref    `json:"id"`
		Slug string `json:"slug"`
	}](sim, token, "/v7/device_type")
	if err != nil {
		return nil, err
	}
	for _, t := range types {
		p.deviceTypes[t.ID] = t.Slug
	}
	releases, err := rows[release](sim, token, "/v7/release?$orderby=id%20asc")
	if err != nil {
		return nil, err
	}
	for _, r := range releases {
		p.releases[r.ID] = r
	}
	services, err := rows[service](sim, token, "/v7/service")
	if err != nil {
		return nil, err
	}
	for _, s := range services {
		p.services[s.ID] = s
	}
	images, err := rows[image](sim, token, "/v7/image")
	if err != nil {
		return nil, err
	}
	for _, i := range images {
		p.images[i.ID] = i
	}
	parts, err := rows[struct {
		Release ref `json:"is_part_of__release"`
		Image   ref `json:"image"`
	}](sim, token, "/v7/release_image")
	if err != nil {
		return nil, err
	}
	for _, part := range parts {
		p.sizes[part.Release] = append(p.sizes[part.Release], part.Image)
	}
	if p.containers, err = rows[container](sim, token, "/v7/image_install?$orderby=id%20asc"); err != nil {
		return nil, err
	}
	if p.fleetTags, err = rows[tagRow](sim, token, "/v7/application_tag"); err != nil {
		return nil, err
	}
	p.deviceTags, err = rows[tagRow](sim, token, "/v7/device_tag")
	return p, err
}
