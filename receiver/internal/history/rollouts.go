package history

// rollout is what is known of the rollout of a fleet's target release.
type rollout struct {
	TargetID int64  `json:"target_id,omitempty"`
	Phase    phase  `json:"phase,omitempty"`
	OnTarget int    `json:"on_target,omitempty"` // the most devices that were
	Since    Millis `json:"since,omitempty"`     // when one of them was the last to arrive
}

type phase string

const (
	waiting phase = "" // no device has anything to do
	running phase = "running"
	stuck   phase = "stuck"
	done    phase = "done"
)

// observeRollouts follows the rollout of each fleet's target. A device that is pinned or out of reach is not waited for.
func (r *observer) observeRollouts() {
	for _, now := range r.Fleets {
		if f := r.fleets[now.ID]; f != nil && now.TargetKnown && now.DevicesKnown {
			before := f.Rollout
			r.observeRollout(f, now.Rollout)
			if f.Rollout != before {
				r.History.changed[f.ID] = true
			}
		}
	}
}

func (r *observer) observeRollout(f *fleet, counts RolloutCounts) {
	first := f.Rollout == rollout{}
	another := f.Rollout.TargetID != f.TargetID
	if another || first {
		f.Rollout = rollout{TargetID: f.TargetID, Since: r.now}
	}
	state := &f.Rollout
	if f.TargetID == 0 {
		return
	}
	tell := func(kind Kind) {
		if first {
			return // it was like this before
		}
		c := r.add(kind, f.resource())
		c.To, c.Rollout = f.Target, &counts
	}
	if counts.OnTarget > state.OnTarget {
		state.OnTarget, state.Since = counts.OnTarget, r.now
		if state.Phase == stuck {
			state.Phase = running
		}
	}
	unfinished := counts.Behind + counts.Updating + counts.Failing
	if state.Phase == waiting && unfinished > 0 {
		state.Phase = running
		tell(RolloutBegun)
	}
	switch {
	case state.Phase == done || state.Phase == waiting && counts.OnTarget == 0:
	case unfinished == 0 && counts.OnTarget > 0:
		if another {
			tell(RolloutBegun) // and completed since the last observation
		}
		if another || state.Phase != waiting {
			tell(RolloutCompleted)
		}
		state.Phase = done
	case state.Phase == running && counts.Behind+counts.Failing > 0 && r.now-state.Since >= r.thresholds.RolloutStuckAfter.Milliseconds():
		state.Phase = stuck
		tell(RolloutStuck)
	}
}
