package receiver

import (
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/otelcol-balena/balenareceiver/receiver/internal/history"
	"github.com/otelcol-balena/balenareceiver/receiver/internal/metadata"
)

// receiverEntity is the receiver itself, with the outcome of its last scrape.
type receiverEntity struct {
	name, endpoint string
	shard          ShardConfig
	complete       bool
	lastComplete   instant
	failures       []failure
	apiKeys        []apiKey
}

func (e *receiverEntity) key() entityKey { return entityKey{kind: receiverKind} }

func (e *receiverEntity) knows(requestKind) bool { return true }

func (e *receiverEntity) record(r *recorder, at time.Time) pcommon.Resource {
	mb, now := r.mb, pcommon.NewTimestampFromTime(at)
	mb.RecordBalenaScrapeCompleteDataPoint(now, oneIf(e.complete))
	recordInstant(mb.RecordBalenaScrapeLastCompleteTimestampDataPoint, now, e.lastComplete)
	for _, failure := range e.failures {
		mb.RecordBalenaScrapeFailureDataPoint(now, 1, string(failure.kind), failure.errorType)
	}
	for _, key := range e.apiKeys {
		mb.RecordBalenaAPIKeyExpiryTimestampDataPoint(now, key.expiry.Unix(), optional(metadata.WithBalenaAPIKeyNameMetricAttribute, key.name)...)
	}

	return receiverResource(mb.NewResourceBuilder(), e.account())
}

func (e *receiverEntity) account() history.Account {
	return history.Account{Receiver: e.name, Endpoint: e.endpoint, ShardIndex: e.shard.Index, Shards: e.shard.Total}
}
