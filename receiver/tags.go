package receiver

import (
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"github.com/prometheus/otlptranslator"

	"github.com/otelcol-balena/balenareceiver/receiver/internal/metadata"
)

// Prefixes of the default attribute names of tags.
const (
	fleetTagPrefix  = "balena.fleet.tag."
	deviceTagPrefix = "balena.device.tag."
)

// tagAttributes returns the names of the attributes that tags become, by the key of the tag.
func tagAttributes(tags map[string]string, prefix string) map[string]string {
	attributes := make(map[string]string, len(tags))
	for key, attribute := range tags {
		if attribute == "" {
			attribute = prefix + key
		}
		attributes[key] = attribute
	}
	return attributes
}

func (cfg TagsConfig) validate() error {
	return errors.Join(
		validateTags("tags::fleets", cfg.Fleets, fleetTagPrefix),
		validateTags("tags::devices", cfg.Devices, deviceTagPrefix),
	)
}

// validateTags checks that tags become attributes that Prometheus can tell apart. There, most special characters of a name become
// underscores, and all series that have two attributes of one name are dropped.
func validateTags(config string, tags map[string]string, prefix string) error {
	var errs []error
	taken := reservedLabels()
	attributes := tagAttributes(tags, prefix)
	for _, key := range slices.Sorted(maps.Keys(tags)) {
		if key == "" || strings.ContainsAny(key, " \t\r\n") {
			errs = append(errs, fmt.Errorf("%q: invalid tag key %q: must not be empty or contain whitespace", config, key))
			continue
		}
		attribute := attributes[key]
		label := prometheusLabel(attribute)
		switch owner, clash := taken[label]; {
		case strings.Trim(attribute, " \t\r\n") != attribute || label == "" || strings.HasPrefix(label, "__"):
			errs = append(errs, fmt.Errorf("%q: tag %q: invalid attribute name %q: choose one of letters, digits, dots and underscores that does not begin with two underscores", config, key, attribute))
		case strings.HasPrefix(attribute, "balena.") && attribute != prefix+key:
			errs = append(errs, fmt.Errorf("%q: tag %q: attribute name %q: choose one that does not begin with \"balena.\", which is reserved", config, key, attribute))
		case clash:
			errs = append(errs, fmt.Errorf("%q: tag %q: attribute name %q is the same in Prometheus (%s) as that of %s: choose another name", config, key, attribute, label, owner))
		}
		taken[label] = fmt.Sprintf("tag %q", key)
	}
	return errors.Join(errs...)
}

// reservedLabels are the labels that tags must not become, with what they belong to.
func reservedLabels() map[string]string {
	labels := map[string]string{
		"job": "Prometheus' own label", "instance": "Prometheus' own label", "le": "Prometheus' own label", "quantile": "Prometheus' own label",
		"otel_scope_name": "the scope", "otel_scope_version": "the scope", "otel_scope_schema_url": "the scope",
		"service_name": "the Collector's own attribute", "service_namespace": "the Collector's own attribute", "service_instance_id": "the Collector's own attribute",
	}
	for _, attribute := range ownAttributes() {
		labels[prometheusLabel(attribute)] = fmt.Sprintf("the receiver's attribute %q", attribute)
	}
	return labels
}

// ownAttributes are the attributes of the receiver's resources and points. The generated structs have a field for each resource
// attribute, tagged with its name, and for each metric.
func ownAttributes() []string {
	var names []string
	resource := reflect.TypeFor[metadata.ResourceAttributesConfig]()
	for i := range resource.NumField() {
		names = append(names, resource.Field(i).Tag.Get("mapstructure"))
	}
	metrics := reflect.ValueOf(metadata.MetricsInfo)
	for i := range metrics.NumField() {
		attributes := metrics.Field(i).FieldByName("Attributes")
		for j := range attributes.Len() {
			names = append(names, attributes.Index(j).String())
		}
	}
	return names
}

// prometheusLabel is the label that an attribute becomes in Prometheus; empty if it cannot become one.
func prometheusLabel(attribute string) string {
	label, err := new(otlptranslator.LabelNamer).Build(attribute)
	if err != nil {
		return ""
	}
	return label
}
