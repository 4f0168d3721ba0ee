package packaging

import (
	"path/filepath"
	"testing"

	"github.com/compose-spec/compose-go/v2/cli"
	"github.com/compose-spec/compose-go/v2/types"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// load reads a compose file of distribution/ as docker compose does, with all profiles.
func load(t *testing.T, file string, env ...string) (*types.Project, error) {
	t.Helper()
	return loadFile(t, filepath.Join(top, "distribution", file), env...)
}

func loadFile(t *testing.T, file string, env ...string) (*types.Project, error) {
	t.Helper()
	options, err := cli.NewProjectOptions([]string{file}, cli.WithEnv(env), cli.WithName("test"), cli.WithProfiles([]string{"*"}))
	require.NoError(t, err)
	return options.LoadProject(t.Context())
}

func TestCompose(t *testing.T) {
	key, err := filepath.Abs("doc.go")
	require.NoError(t, err)
	for _, file := range []string{"compose.yaml", "stack/compose.yaml"} {
		project, err := load(t, file, "BALENA_API_KEY_FILE="+key)
		require.NoError(t, err, file)

		t.Run(file+": containers are confined", func(t *testing.T) {
			for name, service := range project.Services {
				assert.Equal(t, []string{"ALL"}, service.CapDrop, name)
				assert.Equal(t, []string{"no-new-privileges:true"}, service.SecurityOpt, name)
				assert.True(t, service.ReadOnly, name)
				for _, port := range service.Ports {
					assert.Equal(t, "127.0.0.1", port.HostIP, "%s is reachable from other machines", name)
				}
			}
		})

		t.Run(file+": what is mounted or built exists", func(t *testing.T) {
			for name, service := range project.Services {
				for _, volume := range service.Volumes {
					if volume.Type == types.VolumeTypeBind {
						matches, err := filepath.Glob(volume.Source)
						require.NoError(t, err)
						assert.NotEmpty(t, matches, "%s: %s", name, volume.Source)
						assert.True(t, volume.ReadOnly, "%s: %s", name, volume.Source)
					}
				}
				if service.Build != nil {
					assert.FileExists(t, filepath.Join(service.Build.Context, service.Build.Dockerfile), name)
				}
			}
		})

		t.Run(file+": the key is a secret", func(t *testing.T) {
			collector := project.Services["otelcol-balena"]
			require.Len(t, collector.Secrets, 1)
			assert.Equal(t, key, project.Secrets[collector.Secrets[0].Source].File)
			assert.Equal(t, "/run/secrets/"+collector.Secrets[0].Source, *collector.Environment["BALENA_API_KEY_FILE"])
			assert.NotContains(t, collector.Environment, "BALENA_API_KEY")
		})

		t.Run(file+": without a key, the error says what to do", func(t *testing.T) {
			_, err := load(t, file)
			assert.ErrorContains(t, err, "set it to a file that holds a balena API key")
		})
	}
}
