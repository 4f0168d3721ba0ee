package packaging

import (
	"path/filepath"
	"regexp"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	sigsyaml "sigs.k8s.io/yaml"
)

func TestBalena_BlockIsComplete(t *testing.T) {
	var block struct {
		Name, Type, Version string
		Data                struct {
			DefaultDeviceType    string
			SupportedDeviceTypes []string
		}
	}
	require.NoError(t, sigsyaml.Unmarshal([]byte(read(t, filepath.Join(top, "distribution/balena/balena.yml"))), &block))
	assert.Equal(t, "sw.block", block.Type)
	assert.Contains(t, block.Data.SupportedDeviceTypes, block.Data.DefaultDeviceType)
	assert.Contains(t, read(t, filepath.Join(top, "builder-config.yaml")), "  version: "+block.Version+"\n", "raise it in balena.yml, too")
}

// balena builds what is at the top of the folder that is pushed, does not substitute variables, and sets no reserved ones.
func TestBalena_ComposeFile(t *testing.T) {
	folder := t.TempDir()
	install(t, filepath.Join(top, "distribution/balena/docker-compose.yml"), filepath.Join(folder, "docker-compose.yml"))
	absolute, err := filepath.Abs(filepath.Join(folder, "docker-compose.yml"))
	require.NoError(t, err)
	project, err := loadFile(t, absolute)
	require.NoError(t, err)
	service := project.Services["otelcol-balena"]
	assert.Equal(t, folder, service.Build.Context)
	assert.FileExists(t, filepath.Join(top, service.Build.Dockerfile))
	assert.NotContains(t, read(t, absolute), "$")
	for _, argument := range service.Command {
		if argument != "--config" {
			assert.FileExists(t, filepath.Join(top, "distribution", filepath.Base(argument)))
		}
	}
	variables := regexp.MustCompile(`env:(\w+)`).FindAllStringSubmatch(read(t, filepath.Join(top, "distribution/block.yaml")), -1)
	require.NotEmpty(t, variables)
	for _, match := range variables {
		assert.NotRegexp(t, "^(BALENA|RESIN)_", match[1])
	}
}
