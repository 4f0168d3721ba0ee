package devicelogs

import (
	"regexp"
	"strconv"
	"strings"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/otelcol-balena/balenareceiver/balenaclient"
)

// Names of the attributes of records.
const (
	streamAttribute  = "log.iostream"
	serviceAttribute = "balena.service.name"
)

var suppressedLine = regexp.MustCompile(`^Warning: Suppressed (\d+) message\(s\) due to (.+)$`)

// suppressed returns how many lines the server says it dropped, and why. The number is 0 for any other line.
func suppressed(line balenaclient.LogLine) (number int64, why string) {
	if !line.IsSystem || !line.IsStdErr || !strings.HasPrefix(line.Message, "Warning: ") { // a service may write the same text
		return 0, ""
	}
	match := suppressedLine.FindStringSubmatch(line.Message)
	if match == nil {
		return 0, ""
	}
	number, err := strconv.ParseInt(match[1], 10, 64)
	if err != nil {
		return 0, "" // too large for a number of lines
	}
	return number, match[2]
}

// slowReading is why the server does not send lines that it has stored.
const slowReading = "slow reading"

// setRecord turns a line into a record.
func setRecord(record plog.LogRecord, line balenaclient.LogLine, service string) {
	record.SetTimestamp(pcommon.NewTimestampFromTime(line.Timestamp))
	record.SetObservedTimestamp(pcommon.NewTimestampFromTime(line.CreatedAt))
	record.Body().SetStr(line.Message)
	level := severity(line)
	record.SetSeverityNumber(level)
	record.SetSeverityText(strings.ToUpper(level.String())) // some backends keep only the text
	stream := "stdout"
	if line.IsStdErr {
		stream = "stderr"
	}
	record.Attributes().PutStr(streamAttribute, stream)
	if service != "" {
		record.Attributes().PutStr(serviceAttribute, service)
	}
}

// severity stands in for the one that a line does not have: the stream that the line was written to tells what its writer thought of it.
func severity(line balenaclient.LogLine) plog.SeverityNumber {
	number, _ := suppressed(line)
	switch {
	case number > 0:
		return plog.SeverityNumberWarn
	case line.IsStdErr:
		return plog.SeverityNumberError
	}
	return plog.SeverityNumberInfo
}
