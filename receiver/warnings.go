package receiver

import (
	"slices"
	"time"

	"go.uber.org/zap"
)

// warnings remembers which warnings were logged, so that each appears once until its cause is gone.
type warnings struct {
	slow      bool
	unmatched []string
	empty     bool // whether no fleet was reported
	fleets    int  // that were reported by the last scrape that listed them
}

// slowFraction is the part of the timeout that a scrape may take before a warning is logged.
const slowFraction = 0.8

// warn logs what is not an error, but probably not intended.
func (s *balenaScraper) warn(snapshot *snapshot, r *responses, elapsed time.Duration) {
	slow := elapsed > time.Duration(slowFraction*float64(s.cfg.Timeout))
	if slow && !s.warned.slow {
		s.logger.Warn(`Scrape takes almost as long as "timeout" allows; increase "collection_interval" or disable metrics that need devices`,
			zap.Duration("elapsed", elapsed), zap.Duration("timeout", s.cfg.Timeout))
	}
	s.warned.slow = slow

	if !r.listed {
		return
	}
	if len(r.unmatched) > 0 && !slices.Equal(r.unmatched, s.warned.unmatched) {
		s.logger.Warn(`Patterns in "fleets" match no fleet; check their spelling, and that the credentials give access to the fleets`,
			zap.Strings("patterns", r.unmatched))
	}
	s.warned.unmatched = r.unmatched
	empty := len(snapshot.fleets) == 0
	if empty && !s.warned.empty {
		s.logger.Warn("No fleet to report; check whether the credentials give access to the fleets, and whether they were deleted or archived",
			zap.Int("fleets_before", s.warned.fleets))
	}
	s.warned.empty, s.warned.fleets = empty, len(snapshot.fleets)
}
