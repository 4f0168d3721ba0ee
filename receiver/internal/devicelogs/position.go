package devicelogs

import (
	"encoding/binary"
	"errors"
	"hash/crc32"
	"time"

	"github.com/otelcol-balena/balenareceiver/balenaclient"
)

const (
	// overlap is how far before the newest line reading resumes, since lines need not arrive in the order of their stamps.
	overlap = 5 * time.Second

	// maxStored is how many lines of a device the server keeps, and can send again, at most.
	maxStored = 1000
)

// position is up to where the lines of a device were read. Lines have no id, and several may be equal in every field: those near the end
// are recognized by their hashes, each of which occurs as often as the line.
type position struct {
	newest int64 // the server's latest stamp, in Unix milliseconds; 0 before the first line
	floor  int64 // lines with this stamp or an earlier one are not wanted
	seen   []seenLine
}

type seenLine struct {
	at   int64 // the server's stamp
	hash uint64
}

// since is the stamp of the first line to ask for again. It is zero for all lines.
func (p *position) since() time.Time {
	since := max(p.newest-overlap.Milliseconds(), p.floor+1)
	if p.newest == 0 && p.floor == 0 {
		return time.Time{}
	}
	return time.UnixMilli(since)
}

// repeats returns how often each line is going to be sent again, and nil if none is.
func (p *position) repeats() map[uint64]int {
	if len(p.seen) == 0 {
		return nil
	}
	repeats := make(map[uint64]int, len(p.seen))
	for _, line := range p.seen {
		repeats[line.hash]++
	}
	return repeats
}

// advance moves the position behind a line.
func (p *position) advance(at int64, hash uint64) {
	p.newest = max(p.newest, at)
	old := 0
	for old < len(p.seen) && (p.seen[old].at < p.newest-overlap.Milliseconds() || len(p.seen)-old >= maxStored) {
		old++
	}
	p.seen = append(p.seen[old:], seenLine{at, hash})
}

// positionVersion is the first byte of a stored position.
const positionVersion = 1

var errPosition = errors.New("not a position in the logs of a device, or truncated")

// marshal returns the position as it is stored: a version, three varints, each seen line, and a checksum of all before it.
func (p *position) marshal() []byte {
	data := make([]byte, 0, 32+len(p.seen)*10)
	data = append(data, positionVersion)
	data = binary.AppendVarint(data, p.newest)
	data = binary.AppendVarint(data, p.floor)
	data = binary.AppendUvarint(data, uint64(len(p.seen)))
	for _, line := range p.seen {
		data = binary.AppendVarint(data, p.newest-line.at)
		data = binary.LittleEndian.AppendUint64(data, line.hash)
	}
	return binary.LittleEndian.AppendUint32(data, crc32.ChecksumIEEE(data))
}

func parsePosition(data []byte) (position, error) {
	if len(data) < 5 || data[0] != positionVersion {
		return position{}, errPosition
	}
	data, sum := data[:len(data)-4], binary.LittleEndian.Uint32(data[len(data)-4:])
	if crc32.ChecksumIEEE(data) != sum {
		return position{}, errPosition
	}
	data = data[1:]
	var p position
	valid := true
	varint := func() int64 {
		value, size := binary.Varint(data)
		if size <= 0 {
			valid = false
			return 0
		}
		data = data[size:]
		return value
	}
	p.newest, p.floor = varint(), varint()
	count, size := binary.Uvarint(data)
	if !valid || size <= 0 || count > maxStored {
		return position{}, errPosition
	}
	data = data[size:]
	for range count {
		before := varint()
		if !valid || len(data) < 8 {
			return position{}, errPosition
		}
		p.seen = append(p.seen, seenLine{p.newest - before, binary.LittleEndian.Uint64(data)})
		data = data[8:]
	}
	if len(data) > 0 {
		return position{}, errPosition
	}
	return p, nil
}

// hashLine is the same in each process, since hashes are stored.
func hashLine(line balenaclient.LogLine) uint64 {
	const offset, prime = 14695981039346656037, 1099511628211 // FNV-1a
	hash := uint64(offset)
	number := func(value int64) {
		for shift := 0; shift < 64; shift += 8 {
			hash = (hash ^ uint64(byte(value>>shift))) * prime
		}
	}
	number(line.CreatedAt.UnixMilli())
	number(line.Timestamp.UnixMilli())
	number(int64(line.ServiceID)<<2 | bit(line.IsSystem)<<1 | bit(line.IsStdErr))
	for i := range len(line.Message) {
		hash = (hash ^ uint64(line.Message[i])) * prime
	}
	return hash
}

func bit(b bool) int64 {
	if b {
		return 1
	}
	return 0
}
