package receiver

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestTagsConfig_Validate(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		devices map[string]string
		want    []string // in the error; none if the tags are valid
	}{
		"default names":                {map[string]string{"site": "", "rack-row": ""}, nil},
		"names of one's own":           {map[string]string{"site": "place", "rack": "deployment.rack"}, nil},
		"a key that is empty":          {map[string]string{"": "x"}, []string{`"tags::devices": invalid tag key "": must not be empty or contain whitespace`}},
		"a key with whitespace":        {map[string]string{"a b": ""}, []string{`"tags::devices": invalid tag key "a b": must not be empty or contain whitespace`}},
		"a blank name":                 {map[string]string{"a": " "}, []string{`tag "a": invalid attribute name " "`}},
		"a name that is reserved":      {map[string]string{"a": "__name__"}, []string{`invalid attribute name "__name__"`}},
		"a name of the receiver's":     {map[string]string{"a": "balena.device.uuid"}, []string{`attribute name "balena.device.uuid": choose one that does not begin with "balena."`}},
		"a name that looks like it":    {map[string]string{"a": "balena_device_name"}, []string{`attribute name "balena_device_name" is the same in Prometheus (balena_device_name) as that of the receiver's attribute "balena.device.name"`}},
		"a name like a point's":        {map[string]string{"a": "balena_os_version"}, []string{`the receiver's attribute "balena.os.version"`}},
		"the old exporter's label":     {map[string]string{"a": "fleet.name"}, []string{`the receiver's attribute "fleet.name"`}},
		"a label of Prometheus":        {map[string]string{"a": "instance"}, []string{`(instance) as that of Prometheus' own label`}},
		"two tags with one name":       {map[string]string{"a": "place", "b": "place"}, []string{`tag "b": attribute name "place" is the same in Prometheus (place) as that of tag "a"`}},
		"two names that look the same": {map[string]string{"site.a": "", "site-a": ""}, []string{`(balena_device_tag_site_a) as that of tag "site-a"`}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cfg := testConfig("https://api.balena.example.com")
			cfg.Tags.Devices = test.devices
			err := cfg.Validate()
			if test.want == nil {
				require.NoError(t, err)
			}
			for _, want := range test.want {
				require.ErrorContains(t, err, want)
			}
		})
	}
}

func TestOwnAttributes(t *testing.T) {
	t.Parallel()
	own := ownAttributes()
	for _, attribute := range []string{"balena.device.uuid", "fleet.name", "balena.service.name", "balena.device.pinned"} {
		assert.Contains(t, own, attribute)
	}
}

func TestAddTag(t *testing.T) {
	t.Parallel()
	var tags []tag
	for _, add := range []tag{{Attribute: "b", Value: "1"}, {Attribute: "a", Value: "2"}, {Attribute: "c", Value: ""}, {Attribute: "b", Value: "3"}} {
		tags = addTag(tags, add)
	}
	assert.Equal(t, []tag{{Attribute: "a", Value: "2"}, {Attribute: "b", Value: "3"}}, tags, "sorted, without the empty one, and the last value of b")
}
