package balenaclient_test

import (
	"context"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otelcol-balena/balenareceiver/balenaclient"
	"github.com/otelcol-balena/balenareceiver/balenaclient/pine"
)

func list[T any](query func(*balenaclient.Client) pine.Query[T]) func(context.Context, *balenaclient.Client) (int, error) {
	return func(ctx context.Context, c *balenaclient.Client) (int, error) {
		rows, err := query(c).List(ctx)
		return len(rows), err
	}
}

// By default a query selects columns that every server has and that are not large: openBalena responds with 500 to others.
func TestClient_Accessors(t *testing.T) {
	t.Parallel()
	for resource, run := range map[string]func(context.Context, *balenaclient.Client) (int, error){
		"device":                              list((*balenaclient.Client).Devices),
		"application":                         list((*balenaclient.Client).AllFleets),
		"release":                             list((*balenaclient.Client).Releases),
		"service":                             list((*balenaclient.Client).Services),
		"image":                               list((*balenaclient.Client).Images),
		"release_image":                       list((*balenaclient.Client).ReleaseImages),
		"image_install":                       list((*balenaclient.Client).ImageInstalls),
		"service_install":                     list((*balenaclient.Client).ServiceInstalls),
		"device_type":                         list((*balenaclient.Client).DeviceTypes),
		"organization":                        list((*balenaclient.Client).Organizations),
		"device_tag":                          list((*balenaclient.Client).DeviceTags),
		"application_tag":                     list((*balenaclient.Client).FleetTags),
		"release_tag":                         list((*balenaclient.Client).ReleaseTags),
		"user":                                list((*balenaclient.Client).Users),
		"cpu_architecture":                    list((*balenaclient.Client).CPUArchitectures),
		"device_environment_variable":         list((*balenaclient.Client).DeviceVariables),
		"device_service_environment_variable": list((*balenaclient.Client).DeviceServiceVariables),
		"application_environment_variable":    list((*balenaclient.Client).FleetVariables),
		"service_environment_variable":        list((*balenaclient.Client).ServiceVariables),
		"device_config_variable":              list((*balenaclient.Client).DeviceConfigVariables),
		"application_config_variable":         list((*balenaclient.Client).FleetConfigVariables),
	} {
		t.Run(resource, func(t *testing.T) {
			t.Parallel()
			client, sim := simulated(t)
			rows, err := run(t.Context(), client)
			require.NoError(t, err)
			assert.Equal(t, sim.Count(resource), rows)
			target := sim.Requests()[0].Target
			require.True(t, strings.HasPrefix(target, "/v7/"+resource+"?$select=id,"), target)
			for column := range strings.SplitSeq(target[strings.Index(target, "=")+1:strings.Index(target, "&")], ",") {
				assert.NotContains(t, []string{
					"is_active", "is_frozen", "latitude", "longitude", "custom_latitude", "custom_longitude", "location", // balenaCloud's
					"composition", "contract", "build_log", "dockerfile", "logo", // large
					"api_secret", "api_port", "password", "jwt_secret", // secret
				}, column)
			}
		})
	}
}
