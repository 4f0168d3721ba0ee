package receiver

import (
	"cmp"
	"slices"
	"strconv"

	"github.com/otelcol-balena/balenareceiver/balenaclient"
	"github.com/otelcol-balena/balenareceiver/balenaclient/device"
	"github.com/otelcol-balena/balenareceiver/balenaclient/pine"
)

// fleetSet is a set of fleets whose devices are read in one sequence of pages, while others are read at the same time. What fails for a
// set concerns its fleets only. A large fleet is cut by the IDs of its devices.
type fleetSet struct {
	fleetIDs []int64
	after    int64 // devices with a higher ID
	upTo     int64 // and this one at most; 0 means no limit
}

// devices is the filter for the devices of the set.
func (s fleetSet) devices() pine.Filter[balenaclient.Device] {
	filter := device.Fleet.In(s.fleetIDs...)
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
	id      int64
	devices int64   // about how many it has
	cuts    []int64 // ascending IDs that cut its devices into pages; empty if they are not known
}

// minPagesPerSet is the least number of pages for which another sequence is worth its additional request.
const minPagesPerSet = 2

// cutFleets cuts fleets into disjoint sets for a number of workers. Sets are filled so that their pages are full: together they take
// hardly more requests than one sequence would. An account of few pages is not cut.
func cutFleets(fleets []fleetSize, pageSize, workers int) []fleetSet {
	total, ids := int64(0), make([]int64, len(fleets))
	for i, f := range fleets {
		total += f.devices
		ids[i] = f.id
	}
	pages := (total + int64(pageSize) - 1) / int64(pageSize)
	pagesPerSet := (pages + int64(workers) - 1) / int64(workers)
	if pagesPerSet < minPagesPerSet || workers == 1 {
		return splitByURL(ids)
	}
	// One less than full: the page after a full one must be requested to see that there is none.
	capacity := pagesPerSet*int64(pageSize) - 1

	var sets []fleetSet
	var small []fleetSize
	for _, f := range fleets {
		if f.devices > capacity && len(f.cuts) > 0 {
			sets = append(sets, f.ranges(int(pagesPerSet))...)
		} else {
			small = append(small, f)
		}
	}
	for _, bin := range pack(small, capacity) {
		sets = append(sets, splitByURL(bin)...)
	}
	return sets
}

// ranges cuts a fleet into ranges of IDs, each of as many pages.
func (f fleetSize) ranges(pages int) []fleetSet {
	var sets []fleetSet
	after := int64(0)
	for i := pages - 1; i < len(f.cuts); i += pages {
		sets = append(sets, fleetSet{fleetIDs: []int64{f.id}, after: after, upTo: f.cuts[i]})
		after = f.cuts[i]
	}
	return append(sets, fleetSet{fleetIDs: []int64{f.id}, after: after})
}

// pack puts fleets into bins of a capacity, the largest first, each into the first bin with room. A fleet larger than that has a bin of
// its own.
func pack(fleets []fleetSize, capacity int64) [][]int64 {
	slices.SortStableFunc(fleets, func(a, b fleetSize) int { return cmp.Compare(b.devices, a.devices) })
	var bins [][]int64
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
func splitByURL(ids []int64) []fleetSet {
	slices.Sort(ids)
	var sets []fleetSet
	for _, part := range splitIDs(ids) {
		sets = append(sets, fleetSet{fleetIDs: part})
	}
	return sets
}

// splitIDs splits a list of IDs so that each part fits into a URL.
func splitIDs(ids []int64) [][]int64 {
	var parts [][]int64
	start, size := 0, 0
	for i, id := range ids {
		length := len(strconv.FormatInt(id, 10)) + len(",")
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
func pageCuts(devices []*deviceEntity, pageSize int) map[int64][]int64 {
	byFleet := map[int64][]int64{}
	for _, d := range devices {
		byFleet[d.fleetID] = append(byFleet[d.fleetID], d.id)
	}
	cuts := map[int64][]int64{}
	for fleetID, ids := range byFleet {
		if len(ids) <= pageSize {
			continue
		}
		slices.Sort(ids)
		for i := pageSize - 1; i < len(ids)-1; i += pageSize {
			cuts[fleetID] = append(cuts[fleetID], ids[i])
		}
	}
	return cuts
}
