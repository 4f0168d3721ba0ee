package balenasim

import (
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/otelcol-balena/balenareceiver/balenasim/internal/query"
	"github.com/otelcol-balena/balenareceiver/balenasim/internal/schema"
	"github.com/otelcol-balena/balenareceiver/balenasim/internal/store"
)

// Validation rules, with the messages of open-balena-api.
var (
	badEnvName    = regexp.MustCompile(`^\d|\W`)
	badConfigName = regexp.MustCompile(`^[\d:]|[^A-Za-z0-9_:]`)
	appName       = regexp.MustCompile(`^[a-zA-Z0-9_-]+$`)
	deviceUUID    = regexp.MustCompile(`^[a-f0-9]{32}([a-f0-9]{30})?$`)
)

// required holds the fields that an insert needs. Without them the database
// fails and the response is 500.
var required = map[string][]string{
	"device":                              {"is_of__device_type"},
	"application":                         {"app_name", "organization", "is_for__device_type"},
	"device_environment_variable":         {"device", "name", "value"},
	"device_config_variable":              {"device", "name", "value"},
	"application_environment_variable":    {"application", "name", "value"},
	"application_config_variable":         {"application", "name", "value"},
	"service_environment_variable":        {"service", "name", "value"},
	"device_service_environment_variable": {"service_install", "name", "value"},
	"device_tag":                          {"device", "tag_key", "value"},
	"application_tag":                     {"application", "tag_key", "value"},
	"release_tag":                         {"release", "tag_key", "value"},
}

// readOnly holds the resources that users cannot write.
var readOnly = map[string]bool{
	"organization": true, "user": true, "device_type": true, "cpu_architecture": true,
	"device_family": true, "application_type": true, "service_instance": true,
}

// deviceWrites holds the methods that a device key may use on the rows of its
// device.
var deviceWrites = map[string]string{
	"device":                              "PATCH",
	"device_tag":                          "POST PATCH PUT DELETE",
	"device_environment_variable":         "POST PATCH PUT DELETE",
	"device_service_environment_variable": "POST PATCH PUT DELETE",
	"device_config_variable":              "POST PATCH PUT",
	"image_install":                       "POST PATCH PUT",
	"service_install":                     "POST PATCH PUT DELETE",
}

// mayWrite reports whether a caller may write a resource at all.
func mayWrite(c credential, method, resource string) bool {
	switch c.kind {
	case user:
		// API keys are created through other routes.
		return !readOnly[resource] && !(resource == "api_key" && method == http.MethodPost)
	case deviceKey:
		return slices.Contains(strings.Fields(deviceWrites[resource]), method)
	}
	return false
}

// validate checks the values of a write.
func (c *change) validate(resource string, values map[string]any, insert bool) error {
	text := func(name string) (string, bool) {
		v, err := store.Convert(schema.Text, values[name])
		return v.S, err == nil && v.Kind == store.Text
	}
	switch {
	case strings.HasSuffix(resource, "_environment_variable"):
		if name, ok := text("name"); ok {
			if err := envVarName(name); err != nil {
				return err
			}
		}
	case strings.HasSuffix(resource, "_config_variable"):
		if name, ok := text("name"); ok {
			if err := configVarName(name); err != nil {
				return err
			}
		}
	case strings.HasSuffix(resource, "_tag"):
		if key, ok := text("tag_key"); ok {
			if err := tagKey(key); err != nil {
				return err
			}
		}
	case resource == "device":
		if name, ok := text("device_name"); ok && strings.ContainsAny(name, "\r\n") {
			return badRequest("Device name cannot contain any newline characters.")
		}
		if uuid, ok := text("uuid"); insert && ok && uuid != "" && !deviceUUID.MatchString(uuid) {
			return badRequest("Device UUID must be a 32 or 62 character long lower case hex string.")
		}
	case resource == "application":
		if name, ok := text("app_name"); ok {
			if !appName.MatchString(name) {
				return badRequest("App name may only contain [a-zA-Z0-9_-].")
			}
			if len(name) < 4 || len(name) > 100 {
				return badRequest("It is necessary that each application has an app name that has a Length (Type) that is greater than or equal to 4 and is less than or equal to 100.")
			}
		}
	}
	value, ok := text("value")
	if ok && strings.HasSuffix(resource, "_variable") && strings.ContainsAny(value, "\r\n") {
		return badRequest("Variable values cannot contain line break characters")
	}
	return valueLength(resource, value)
}

func reserved(name string) bool {
	return strings.HasPrefix(name, "RESIN_") || strings.HasPrefix(name, "BALENA_")
}

func reservedName(name string) bool { return name == "RESIN" || name == "BALENA" || name == "USER" }

func envVarName(name string) error {
	switch {
	case badEnvName.MatchString(name):
		return badRequest("Environment variable names can only contain alphanumeric characters and underscores.")
	case reservedName(name):
		return badRequest("Environment variables RESIN, BALENA, USER are reserved")
	case reserved(name):
		return badRequest("Environment variables beginning with RESIN_, BALENA_ are reserved.")
	}
	return nil
}

func configVarName(name string) error {
	switch {
	case badConfigName.MatchString(name):
		return badRequest("Configuration variable names can only contain alphanumeric characters, underscores or a colon")
	case reservedName(name):
		return badRequest("Configuration variables RESIN, BALENA, USER are reserved")
	case !reserved(name):
		return badRequest("Configuration variables must be part of one of the following namespaces: RESIN_, BALENA_")
	}
	return nil
}

// longestValue holds the maximum lengths of values in characters.
var longestValue = map[string]int{
	"application_config_variable":         100_000,
	"application_environment_variable":    100_000,
	"device_config_variable":              100_000,
	"device_environment_variable":         100_000,
	"device_service_environment_variable": 100_000,
	"device_tag":                          10_000,
}

func valueLength(resource, value string) error {
	if limit, ok := longestValue[resource]; ok && utf8.RuneCountInString(value) > limit {
		return badRequest(fmt.Sprintf("It is necessary that each %s has a value that has a Length (Type) that is less than or equal to %d.",
			strings.ReplaceAll(resource, "_", " "), limit))
	}
	return nil
}

// The rules for pinned and target releases.
const (
	pinRule    = `It is necessary that each release that is pinned to a device, has a status that is equal to "success" and belongs to an application1 that the device belongs to.`
	targetRule = `It is necessary that each release that should be running on an application, has a status that is equal to "success" and belongs to the application.`
)

// releases checks the pinned release of a device or the target release of a
// fleet after a write.
func (c *change) releases(resource string, id int64) error {
	field, fleetField, rule := "is_pinned_on__release", "belongs_to__application", pinRule
	switch resource {
	case "device":
	case "application":
		field, fleetField, rule = "should_be_running__release", "id", targetRule
	default:
		return nil
	}
	t, releases := c.tx.Table(resource), c.tx.Table("release")
	r := t.Find(id)
	pin, ok := t.Int(r, t.Resource.Index(field))
	if !ok {
		return nil
	}
	release := releases.Find(pin)
	if release == store.NoRow {
		return badRequest(rule)
	}
	status, _ := releases.Text(release, releases.Resource.Index("status"))
	of, _ := releases.Int(release, releases.Resource.Index("belongs_to__application"))
	if fleet, _ := t.Int(r, t.Resource.Index(fleetField)); status != "success" || of != fleet {
		return badRequest(rule)
	}
	return nil
}

// deletable checks that rows may be deleted: releases must not be in use.
func (c *change) deletable(ids []int64) error {
	switch c.view.Resource.Name {
	case "application":
		if len(ids) == 0 && c.query.Key != nil {
			return &writeError{http.StatusNotFound, "Application(s) not found."}
		}
	case "release":
		for _, id := range ids {
			if fleets := referring(c.tx, "application", "should_be_running__release", id); len(fleets) > 0 {
				release, fleet := c.tx.Table("release"), c.tx.Table("application")
				version := query.FieldReader(c.s.store, c.version, "release", "raw_version")(release.Find(id)).S
				class, _ := fleet.Text(fleet.Find(fleets[0]), fleet.Resource.Index("is_of__class"))
				return badRequest(fmt.Sprintf("Unable to delete release %s because it is the %s's target release.", version, class))
			}
		}
		for _, id := range ids {
			if len(referring(c.tx, "device", "is_pinned_on__release", id)) > 0 {
				return badRequest("Unable to delete a release because device(s) are pinned to it.")
			}
		}
	}
	return nil
}

func tagKey(key string) error {
	if strings.ContainsAny(key, " \t\r\n\v\f") {
		return badRequest("Tag keys cannot contain whitespace.")
	}
	for _, prefix := range []string{"io.resin.", "io.balena."} {
		if strings.HasPrefix(key, prefix) {
			return badRequest("Tag keys beginning with " + prefix + " are reserved.")
		}
	}
	return nil
}
