package receiver

import (
	"cmp"
	"slices"
	"strconv"

	"github.com/otelcol-balena/balenareceiver/balenaclient"
	"github.com/otelcol-balena/balenareceiver/balenaclient/device"
	"github.com/otelcol-balena/balenareceiver/balenaclient/pine"
)

// part is a part of the account whose devices are read in one sequence of pages, while others are read at the same time: some fleets, or
// a range of the devices of a large one. What fails for a part concerns its fleets only.
type part struct {
	fleets []fleetID
	after  deviceID // devices with a higher ID
	upTo   deviceID // and this one at most; 0 means no limit
}

// devices is the filter for the devices of the part.
func (s part) devices() pine.Filter[balenaclient.Device] {
	filter := device.Fleet.In(s.fleets...)
	if s.after > 0 {
		filter = filter.And(device.ID.Gt(s.after))
	}
	if s.upTo > 0 {
		filter = filter.And(device.ID.Le(s.upTo))
	}
	return filter
}

// fleetSize is what is known of a fleet before its devices are read.
type fleetSize struct {
	id      fleetID
	devices int64      // about how many it has
	cuts    []deviceID // ascending IDs that cut its devices into pages; empty if they are not known
}

// minPagesPerPart is the smallest number of pages that justifies the additional request of another sequence.
const minPagesPerPart = 2

// cutAccount cuts an account into disjoint parts for a number of workers. Parts are filled so that their pages are full: together they
// take hardly more requests than one sequence would. An account of few pages is not cut.
func cutAccount(fleets []fleetSize, pageSize, workers int) []part {
	total, ids := int64(0), make([]fleetID, len(fleets))
	for i, f := range fleets {
		total += f.devices
		ids[i] = f.id
	}
	pages := (total + int64(pageSize) - 1) / int64(pageSize)
	pagesPerPart := (pages + int64(workers) - 1) / int64(workers)
	if pagesPerPart < minPagesPerPart || workers == 1 {
		return splitByURL(ids)
	}
	// One less than full: the page after a full one must be requested to see that there is none.
	capacity := pagesPerPart*int64(pageSize) - 1

	var parts []part
	var small []fleetSize
	for _, f := range fleets {
		if f.devices > capacity && len(f.cuts) > 0 {
			parts = append(parts, f.ranges(int(pagesPerPart))...)
		} else {
			small = append(small, f)
		}
	}
	for _, bin := range pack(small, capacity) {
		parts = append(parts, splitByURL(bin)...)
	}
	return parts
}

// ranges cuts a fleet into ranges of IDs, each of as many pages.
func (f fleetSize) ranges(pages int) []part {
	var parts []part
	after := deviceID(0)
	for i := pages - 1; i < len(f.cuts); i += pages {
		parts = append(parts, part{fleets: []fleetID{f.id}, after: after, upTo: f.cuts[i]})
		after = f.cuts[i]
	}
	return append(parts, part{fleets: []fleetID{f.id}, after: after})
}

// pack puts fleets into bins of a capacity, the largest first, each into the first bin with room. A fleet larger than that has a bin of
// its own.
func pack(fleets []fleetSize, capacity int64) [][]fleetID {
	slices.SortStableFunc(fleets, func(a, b fleetSize) int { return cmp.Compare(b.devices, a.devices) })
	var bins [][]fleetID
	var room []int64
	for _, f := range fleets {
		i := slices.IndexFunc(room, func(left int64) bool { return left >= f.devices })
		if i < 0 {
			i = len(bins)
			bins, room = append(bins, nil), append(room, capacity)
		}
		bins[i] = append(bins[i], f.id)
		room[i] = max(room[i]-f.devices, 0)
	}
	return bins
}

// splitByURL splits a list of fleets so that each fits into a URL.
func splitByURL(ids []fleetID) []part {
	slices.Sort(ids)
	var parts []part
	for _, some := range splitIDs(ids) {
		parts = append(parts, part{fleets: some})
	}
	return parts
}

// splitIDs splits a list of IDs so that each part fits into a URL.
func splitIDs[R any](ids []pine.ID[R]) [][]pine.ID[R] {
	var parts [][]pine.ID[R]
	start, size := 0, 0
	for i, id := range ids {
		length := len(strconv.FormatInt(int64(id), 10)) + len(",")
		if size+length > maxIDListSize {
			parts = append(parts, ids[start:i])
			start, size = i, 0
		}
		size += length
	}
	if start < len(ids) {
		parts = append(parts, ids[start:])
	}
	return parts
}

// pageCuts returns the IDs at which pages of devices end, by fleet, for those fleets that have more than one.
func pageCuts(devices []*deviceRow, pageSize int) map[fleetID][]deviceID {
	byFleet := map[fleetID][]deviceID{}
	for _, d := range devices {
		byFleet[d.fleetID] = append(byFleet[d.fleetID], d.id)
	}
	cuts := map[fleetID][]deviceID{}
	for fleet, ids := range byFleet {
		if len(ids) <= pageSize {
			continue
		}
		slices.Sort(ids)
		for i := pageSize - 1; i < len(ids)-1; i += pageSize {
			cuts[fleet] = append(cuts[fleet], ids[i])
		}
	}
	return cuts
}
