package history

// observeReleases reports releases that were created, how their builds ended, and those that were finalized.
func (r *observer) observeReleases() {
	found := make(map[int64]bool, len(r.Releases))
	for _, now := range r.Releases {
		f := r.fleets[now.FleetID]
		if f == nil {
			continue
		}
		found[now.ID] = true
		before, known := f.releases[now.ID]
		f.releases[now.ID] = now
		switch {
		case !known && (!f.ReleasesSeen || now.CreatedAt < r.releasesAt-recentReleases.Milliseconds()):
			r.History.changed[f.ID] = true // it was there before. If our clock was set back, it was even known
		case !known:
			r.History.changed[f.ID] = true
			r.add(ReleaseCreated, now.resource(f)).At = r.since(now.CreatedAt)
			r.compareRelease(Release{}, now, f)
		case before.Status != now.Status || before.Final != now.Final || before.Version != now.Version:
			r.History.changed[f.ID] = true
			r.compareRelease(before, now, f)
		}
	}
	r.forgetReleases(found)
}

func (r *observer) compareRelease(before, now Release, f *fleet) {
	if before.Status != now.Status {
		switch now.Status {
		case "success":
			r.add(BuildSucceeded, now.resource(f)).fromTo(before.Status, now.Status).At = r.since(now.EndedAt)
		case "failed", "error", "cancelled", "interrupted":
			r.add(BuildFailed, now.resource(f)).fromTo(before.Status, now.Status).At = r.since(now.EndedAt)
		}
	}
	if now.Final && !before.Final {
		r.add(ReleaseFinalized, now.resource(f)).fromTo(before.Version, now.Version).At = r.since(now.FinalizedAt)
	}
}

// forgetReleases forgets those that are no longer recent.
func (r *observer) forgetReleases(found map[int64]bool) {
	all := r.AllFleets
	for _, row := range r.Fleets {
		f := r.fleets[row.ID]
		if f == nil || !row.RecentReleasesKnown {
			all = false
			continue
		}
		if !f.ReleasesSeen {
			f.ReleasesSeen = true
			r.History.changed[f.ID] = true
		}
		for id := range f.releases {
			if !found[id] {
				delete(f.releases, id)
				r.History.changed[f.ID] = true
			}
		}
	}
	if all {
		r.releasesAt = r.now
	}
}

func (r Release) resource(f *fleet) Resource {
	return Resource{Release: &ReleaseResource{Commit: r.Commit, Version: r.Version, FleetName: f.Name, FleetSlug: f.Slug}}
}
