package balenaclient

import (
	"fmt"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/otelcol-balena/balenareceiver/balenaclient/pine"
)

// rules are what the server requires of the strings of a resource, from open-balena-api's src/features/vars-schema and src/features/tags.
// The server would respond with 400; checked here, nothing is sent and the error can say more.
type rules struct {
	column   string // with the names of rows
	name     func(name string) (problem, remedy string)
	oneLine  bool // whether values must not have line breaks
	maxValue int  // in characters; 0 means no limit
}

var (
	environmentRules = rules{column: "name", name: checkEnvironmentName, oneLine: true}
	configRules      = rules{column: "name", name: checkConfigName, oneLine: true}
	tagRules         = rules{column: "tag_key", name: checkTagKey}
	deviceRules      = rules{column: "device_name", name: checkDeviceName}
	fleetRules       = rules{column: "app_name", name: checkFleetName}
)

func (r rules) limited(characters int) rules {
	r.maxValue = characters
	return r
}

// check implements [pine.Rules]. Values of variables may be secret, so no error contains one.
func (r rules) check(resource string, values pine.Values) error {
	name, named := values.Lookup(r.column)
	if named {
		if problem, remedy := r.name(name); problem != "" {
			return &InvalidError{Resource: resource, Column: r.column, Value: name, Problem: problem, Remedy: remedy}
		}
	}
	value, ok := values.Lookup("value")
	if !ok {
		return nil
	}
	invalid := &InvalidError{Resource: resource, Column: "value", Key: name}
	length := utf8.RuneCountInString(value)
	if at := strings.IndexAny(value, "\r\n"); r.oneLine && at >= 0 {
		invalid.Problem = fmt.Sprintf("has a line break at character %d of %d", utf8.RuneCountInString(value[:at])+1, length)
		invalid.Remedy = "the API does not accept any: encode the value, for example in base64"
		return invalid
	}
	if r.maxValue > 0 && length > r.maxValue {
		invalid.Problem = fmt.Sprintf("is %d characters long, but the API accepts %d", length, r.maxValue)
		invalid.Remedy = "shorten it"
		return invalid
	}
	return nil
}

var (
	environmentNames = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)
	configNames      = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_:]*$`)
	fleetNames       = regexp.MustCompile(`^[A-Za-z0-9_-]+$`)
)

func checkEnvironmentName(name string) (problem, remedy string) {
	switch {
	case !environmentNames.MatchString(name):
		return "is not a name", "use letters, digits and underscores, and no digit first"
	case name == "RESIN" || name == "BALENA" || name == "USER" || hasReservedPrefix(name):
		return "is reserved", "choose another name; what begins with BALENA_ or RESIN_ is a configuration variable"
	}
	return "", ""
}

func checkConfigName(name string) (problem, remedy string) {
	switch {
	case !configNames.MatchString(name):
		return "is not a name", "use letters, digits, underscores and colons, and no digit first"
	case !hasReservedPrefix(name):
		return "does not begin with BALENA_ or RESIN_", "configuration variables do; anything else is an environment variable"
	}
	return "", ""
}

func hasReservedPrefix(name string) bool {
	return strings.HasPrefix(name, "BALENA_") || strings.HasPrefix(name, "RESIN_")
}

func checkTagKey(key string) (problem, remedy string) {
	switch {
	case key == "":
		return "is empty", "give it a name"
	case strings.ContainsFunc(key, unicode.IsSpace):
		return "contains white space", "use underscores or dashes"
	case strings.HasPrefix(key, "io.balena.") || strings.HasPrefix(key, "io.resin."):
		return "is reserved", "choose one that begins with neither io.balena. nor io.resin."
	}
	return "", ""
}

func checkDeviceName(name string) (problem, remedy string) {
	if strings.ContainsAny(name, "\r\n") {
		return "has a line break", "write it on one line"
	}
	return "", ""
}

func checkFleetName(name string) (problem, remedy string) {
	switch {
	case !fleetNames.MatchString(name):
		return "is not a name", "use letters, digits, underscores and dashes"
	case len(name) < 4 || len(name) > 100:
		return fmt.Sprintf("is %d characters long", len(name)), "use 4 to 100"
	}
	return "", ""
}
