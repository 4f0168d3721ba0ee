package balenaclient

import (
	"cmp"
	"errors"
	"slices"
	"strings"
	"time"
)

// The methods in this file read what a query has fetched; they send nothing. Each says which fields it needs.

func isNotFound(err error) bool { return errors.Is(err, ErrNotFound) }

// IsTracking reports whether the device tracks its fleet rather than being pinned. ok is false unless PinnedRelease was fetched.
func (d Device) IsTracking() (tracking, ok bool) {
	return d.PinnedRelease.ID == 0, d.PinnedRelease.Fetched()
}

// IsOnTarget reports whether the device runs the release that it should run; one that should run none is on target if it runs none. An
// offline device keeps the releases that it last reported. ok is false unless RunningRelease and TargetRelease were fetched.
func (d Device) IsOnTarget() (onTarget, ok bool) {
	return d.RunningRelease.ID == d.TargetRelease.ID, d.RunningRelease.Fetched() && d.TargetRelease.Fetched()
}

// Progress returns the progress of the device's update or provisioning in percent. ok is false if there is none, or if OverallProgress was
// not fetched.
func (d Device) Progress() (percent int64, ok bool) {
	if d.OverallProgress == nil {
		return 0, false
	}
	return *d.OverallProgress, true
}

// IPAddresses returns the device's local addresses. It needs IPAddress.
func (d Device) IPAddresses() []string { return strings.Fields(d.IPAddress) }

// MACAddresses returns the addresses of the device's network interfaces. It needs MACAddress.
func (d Device) MACAddresses() []string { return strings.Fields(d.MACAddress) }

// OSRelease returns the version of the operating system without its name, for example 6.1.2+rev1; empty if the device has not reported it.
// It needs OSVersion.
func (d Device) OSRelease() string {
	_, version, named := strings.Cut(d.OSVersion, " ")
	if !named {
		return d.OSVersion
	}
	return version
}

// TagMap returns the device's tags; nil unless Tags was expanded.
func (d Device) TagMap() map[string]string {
	if !d.Tags.Fetched() {
		return nil
	}
	tags := make(map[string]string, len(d.Tags.Rows))
	for _, t := range d.Tags.Rows {
		tags[t.Key] = t.Value
	}
	return tags
}

// RunningService is a service on a device.
type RunningService struct {
	Name     string
	Status   string    // for example Running, Downloading or exited
	Progress *int64    // progress of the download in percent; nil if there is none
	Release  ReleaseID // during an update a service may have two
	Image    ImageID
	Since    time.Time // when the image was installed; zero if unknown
}

// Services returns the services of the device by name, the newest of each first. ok is false unless ImageInstalls was expanded, in it
// Image, and in that Service:
//
//	device.ImageInstalls.With(imageinstall.Where(imageinstall.Status.Ne("deleted")).
//		Select(imageinstall.Status, imageinstall.DownloadProgress, imageinstall.InstalledAt, imageinstall.Release).
//		Expand(imageinstall.Image.With(image.Select(image.ID).Expand(image.Service.With(service.Select(service.Name))))))
//
// Deleted images, which the API keeps forever, are skipped. On new devices the services of the operating system and the supervisor are
// included; Release tells them apart.
func (d Device) Services() (services []RunningService, ok bool) {
	ok = d.ImageInstalls.Fetched()
	for _, install := range d.ImageInstalls.Rows {
		image, _ := install.Image.Row()
		service, found := image.Service.Row()
		ok = ok && expanded(install.Image) && (install.Image.ID == 0 || expanded(image.Service))
		if !found || strings.EqualFold(install.Status, "deleted") {
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
	return services, ok
}

// expanded reports whether a reference has the row that it refers to, or is known to refer to none that can be read.
func expanded[T any](ref Ref[T]) bool {
	_, found := ref.Row()
	return found || ref.Fetched() && ref.ID == 0
}

// State returns the state of the release: building, failed, invalidated, draft or final. It needs Status, IsInvalidated and IsFinal, and is
// empty if Status was not fetched.
func (r Release) State() string {
	switch {
	case r.Status == "":
		return ""
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

// BuildDuration returns how long the build took. ok is false if it has not ended, or if StartedAt or EndedAt was not fetched.
func (r Release) BuildDuration() (duration time.Duration, ok bool) {
	if r.StartedAt == nil || r.EndedAt == nil {
		return 0, false
	}
	return r.EndedAt.Sub(*r.StartedAt), true
}

// Size returns the size of the release's images in bytes. ok is false if the size of one is not known, or unless ReleaseImages was expanded,
// and in it Image with Size.
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
