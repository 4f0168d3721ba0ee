package truth

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/otelcol-balena/balenareceiver/internal/observability/pipeline"
)

// source is what a sequence is drawn from: bytes, and zeros when they have run out.
type source struct{ bytes []byte }

// next draws a number below n.
func (s *source) next(n int) int {
	if len(s.bytes) == 0 || n <= 1 {
		return 0
	}
	b := s.bytes[0]
	s.bytes = s.bytes[1:]
	return int(b) % n
}

// The bytes of a sequence: the configuration and the first account, then so many for each step.
const (
	beginning = 160
	perStep   = 8
)

// bytesOf is the sequence of a seed.
func bytesOf(seed uint64) []byte {
	random := rand.New(rand.NewPCG(seed, 9))
	data := make([]byte, beginning+perStep*(6+random.IntN(22)))
	for i := range data {
		data[i] = byte(random.Uint32())
	}
	return data
}

// result is what came of a sequence.
type result struct {
	trace   []string
	wrong   []string // what the scrape that failed served wrongly
	scrapes int
}

func (r *result) String() string {
	return strings.Join(r.trace, "\n") + "\n  WRONG: " + strings.Join(r.wrong, "\n  WRONG: ")
}

// run runs a sequence up to the first scrape after which something false is served.
func run(t *testing.T, data []byte) (*result, error) {
	ctx := t.Context()
	exporter, err := pipeline.NewExporter(ctx, 3*time.Minute)
	if err != nil {
		return nil, err
	}
	defer exporter.Shutdown(context.WithoutCancel(ctx))
	var r *result
	synctest.Test(t, func(t *testing.T) {
		s := &sequence{exporter: exporter}
		err = s.run(t.Context(), data)
		r = &s.result
	})
	return r, err
}

// sequence is a run of steps.
type sequence struct {
	result
	exporter *pipeline.Exporter
	scrapes_ *pipeline.Scrapes
	account  *account
	api      *api
	oracle   *oracle
	setup    setup
	since    time.Time
}

func (s *sequence) run(ctx context.Context, data []byte) error {
	begin := &source{data[:min(beginning, len(data))]}
	s.setup = newSetup(begin)
	start := time.Now()
	now := func() time.Time { return time.Now().Add(time.Duration(s.setup.skew) * time.Minute) }
	s.account = newAccount(now, begin)
	s.api = &api{sim: s.account.sim}
	s.oracle = newOracle(s.setup, s.setup.enabled())
	s.trace = append(s.trace, "  "+s.setup.String())
	if s.describe() != nil {
		return s.describe()
	}

	var steps [][]byte
	if len(data) > beginning {
		steps = slices.Collect(slices.Chunk(data[beginning:], perStep))
	}
	// Faults may come before the first scrape.
	for len(steps) > 0 && steps[0][0]%8 == 0 {
		s.step(&source{steps[0][1:]}, faultStep)
		steps = steps[1:]
	}
	var err error
	s.since = start
	if s.scrapes_, err = pipeline.Start(ctx, s.exporter, s.setup.config(), s.api, nil); err != nil {
		return err
	}
	defer s.scrapes_.Stop(context.WithoutCancel(ctx))
	if ok, err := s.scrape(); !ok {
		return err
	}
	for _, step := range steps {
		if what := int(step[0]) % 16; what < 5 {
			if ok, err := s.scrape(); !ok {
				return err
			}
		} else {
			s.step(&source{step[1:]}, what)
		}
	}
	// In the end all is well again.
	if ok, err := s.scrape(); !ok {
		return err
	}
	s.api.faults = nil
	s.trace = append(s.trace, "  all faults end")
	for range 2 {
		if ok, err := s.scrape(); !ok {
			return err
		}
	}
	return nil
}

func (s *sequence) describe() error {
	p, err := takePicture(s.account.sim, token)
	if err != nil {
		return err
	}
	s.trace = append(s.trace, fmt.Sprintf("  at first: %s", p.describe()))
	return nil
}

const faultStep = 14

// step changes the account or the faults.
func (s *sequence) step(r *source, what int) {
	switch what {
	default:
		s.account.changeDevice(r)
	case 10:
		s.account.changeContainer(r)
	case 11:
		s.account.changeFleet(r)
	case 12:
		s.account.changeRelease(r)
	case 13:
		s.account.createDevice(r)
	case faultStep:
		f := &fault{kind: kinds[r.next(len(kinds))], failure: failures[r.next(len(failures))], left: -1, row: r.next(4)}
		if r.next(3) == 0 {
			f.left = 1 + r.next(2)
		}
		if s.setup.pageSize < 100 && r.next(2) == 0 {
			f.page = 1 + r.next(2)
		}
		if f.failure == badKey {
			f.left, f.page = -1, 0
		}
		s.api.faults = append(s.api.faults, f)
		s.trace = append(s.trace, "  fault: "+f.String())
	case 15:
		if len(s.api.faults) > 0 {
			i := r.next(len(s.api.faults))
			s.trace = append(s.trace, "  end of fault: "+s.api.faults[i].String())
			s.api.faults = slices.Delete(s.api.faults, i, i+1)
		}
	}
	for _, note := range s.account.notes {
		s.trace = append(s.trace, "  "+note)
	}
	s.account.notes = nil
}

// scrape waits for a scrape and judges what is then served. It is false if that is wrong.
func (s *sequence) scrape() (bool, error) {
	picture, err := takePicture(s.account.sim, token)
	if err != nil {
		return false, err
	}
	s.scrapes_.Next()
	s.scrapes++
	log := s.api.next()
	served, err := s.exporter.Series()
	if err != nil {
		return false, err
	}
	if adapt != nil {
		served = adapt(s, served, log)
	}
	// Requests that are not sent in time leave no trace in the log.
	rushed := s.setup.budget > 0 ||
		slices.ContainsFunc(log, func(ex exchange) bool {
			return ex.late || slices.Contains([]failure{banned, rateLimited, hanging}, ex.failure)
		})
	wrong := s.oracle.judge(picture, log, served, rushed, time.Now())
	s.trace = append(s.trace, fmt.Sprintf("scrape %d, %s after the last, %d requests, %d series%s", s.scrapes, time.Since(s.since), len(log), len(served), failed(log)))
	s.since = time.Now()
	if len(wrong) > 0 {
		for _, line := range s.scrapes_.Logs() {
			s.trace = append(s.trace, "  log: "+line)
		}
		for _, ex := range log {
			s.trace = append(s.trace, fmt.Sprintf("  request: %s %s", ex.kind, ex.failure))
		}
		s.wrong = wrong
		return false, nil
	}
	return true, nil
}

// adapt is for tests of the oracle itself.
var adapt func(*sequence, map[string]float64, []exchange) map[string]float64

func failed(log []exchange) string {
	var kinds []string
	for _, ex := range log {
		if text := string(ex.kind) + ": " + string(ex.failure); ex.failure != "" && !slices.Contains(kinds, text) {
			kinds = append(kinds, text)
		}
	}
	if len(kinds) == 0 {
		return ""
	}
	return ", failed: " + strings.Join(kinds, ", ")
}

func (p *picture) describe() string {
	var parts []string
	for _, f := range p.fleets {
		parts = append(parts, fmt.Sprintf("fleet %d targets %d", f.ID, f.Target))
	}
	for _, d := range p.devices {
		parts = append(parts, fmt.Sprintf("device %d in %d online %t runs %d", d.ID, d.Fleet, d.Online, d.Running))
	}
	return strings.Join(parts, ", ")
}
