package balenaclient

import (
	"cmp"
	"errors"
	"slices"
	"strings"
	"time"
)

// The methods in this file read what a query has fetched; they ask nobody. Each says which fields it needs.

func isNotFound(err error) bool { return errors.Is(err, ErrNotFound) }

// IsTracking reports whether the device runs what its fleet runs, rather than being pinned. It needs PinnedRelease.
func (d Device) IsTracking() bool { return d.PinnedRelease.ID == 0 }

// IsOnTarget reports whether the device runs the release that it should run. A device that should run none is on target if it runs
// none. It needs RunningRelease and TargetRelease, of which a device that is offline keeps the last ones reported.
func (d Device) IsOnTarget() bool { return d.RunningRelease.ID == d.TargetRelease.ID }

// Progress is how far the device's update or provisioning is, in percent; false if none is under way. It needs OverallProgress.
func (d Device) Progress() (percent int64, ok bool) {
	if d.OverallProgress == nil {
		return 0, false
	}
	return *d.OverallProgress, true
}

// IPAddresses are the device's local addresses. It needs IPAddress.
func (d Device) IPAddresses() []string { return strings.Fields(d.IPAddress) }

// MACAddresses are those of the device's network interfaces. It needs MACAddress.
func (d Device) MACAddresses() []string { return strings.Fields(d.MACAddress) }

// OSRelease is the version of the operating system alone, for example 6.1.2+rev1; empty if the device has not reported one. It needs
// OSVersion.
func (d Device) OSRelease() string {
	_, version, named := strings.Cut(d.OSVersion, " ")
	if !named {
		return d.OSVersion
	}
	return version
}

// TagMap are the device's tags. It needs Tags to be expanded.
func (d Device) TagMap() map[string]string {
	tags := make(map[string]string, len(d.Tags.Rows))
	for _, t := range d.Tags.Rows {
		tags[t.Key] = t.Value
	}
	return tags
}

// RunningService is a service as a device runs it.
type RunningService struct {
	Name     string
	Status   string    // for example Running, Downloading or exited
	Progress *int64    // of the download in percent; nil if there is none
	Release  ReleaseID // id of the release; during an update there may be two
	Image    ImageID
	Since    time.Time // when the image was installed; zero if unknown
}

// Services are the services of the device, by name and the newest first. It needs ImageInstalls to be expanded, and in it Image, and in
// that Service:
//
//	device.ImageInstalls.With(pine.Where(imageinstall.Status.Ne("deleted")).
//		Select(imageinstall.Status, imageinstall.DownloadProgress, imageinstall.InstalledAt, imageinstall.Release).
//		Expand(imageinstall.Image.With(pine.Select(image.ID).Expand(image.Service.With(pine.Select(service.Name))))))
//
// Images that were removed are left out; they stay in the API for ever. Services of the operating system and the supervisor are among
// them on new devices: tell them apart by Release.
func (d Device) Services() []RunningService {
	var services []RunningService
	for _, install := range d.ImageInstalls.Rows {
		image, _ := install.Image.Row()
		service, ok := image.Service.Row()
		if !ok || strings.EqualFold(install.Status, "deleted") {
			continue
		}
		running := RunningService{Name: service.Name, Status: install.Status, Progress: install.DownloadProgress,
			Release: install.Release.ID, Image: install.Image.ID}
		if install.InstalledAt != nil {
			running.Since = *install.InstalledAt
		}
		services = append(services, running)
	}
	slices.SortStableFunc(services, func(a, b RunningService) int {
		return cmp.Or(cmp.Compare(a.Name, b.Name), b.Since.Compare(a.Since))
	})
	return services
}

// State is what became of the release, in one word: building, failed, invalidated, draft or final. It needs Status, IsInvalidated and
// IsFinal.
func (r Release) State() string {
	switch {
	case r.Status == "running":
		return "building"
	case r.Status != "success":
		return "failed"
	case r.IsInvalidated:
		return "invalidated"
	case !r.IsFinal:
		return "draft"
	}
	return "final"
}

// BuildDuration is how long the build took; false if it has not ended. It needs StartedAt and EndedAt.
func (r Release) BuildDuration() (time.Duration, bool) {
	if r.StartedAt == nil || r.EndedAt == nil {
		return 0, false
	}
	return r.EndedAt.Sub(*r.StartedAt), true
}

// Size is the size of the release's images in bytes; false if that of one is not known. It needs ReleaseImages to be expanded, and in it
// Image with Size.
func (r Release) Size() (bytes int64, ok bool) {
	for _, part := range r.ReleaseImages.Rows {
		image, _ := part.Image.Row()
		if image.Size == nil {
			return 0, false
		}
		bytes += *image.Size
	}
	return bytes, len(r.ReleaseImages.Rows) > 0
}
