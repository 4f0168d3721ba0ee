package packaging

import (
	"context"
	"encoding/json"
	"os"
	"testing"

	"github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/client/llb/sourceresolver"
	"github.com/moby/buildkit/frontend/dockerfile/dockerfile2llb"
	"github.com/opencontainers/go-digest"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// offline stands in for the registries: every image is an empty one.
type offline struct{}

func (offline) ResolveImageConfig(_ context.Context, ref string, _ sourceresolver.Opt) (string, digest.Digest, []byte, error) {
	config, err := json.Marshal(ocispecs.Image{Platform: ocispecs.Platform{OS: "linux", Architecture: "amd64"}})
	return ref, digest.FromBytes(config), config, err
}

// lint returns the warnings of BuildKit's own linter, the ones that docker build --check prints.
func lint(t *testing.T, dockerfile []byte) (warnings []string) {
	t.Helper()
	source := llb.NewSourceMap(nil, "Dockerfile", "Dockerfile", dockerfile)
	source.Definition = &llb.Definition{}
	result, err := dockerfile2llb.DockerfileLint(t.Context(), dockerfile, dockerfile2llb.ConvertOpt{MetaResolver: offline{}, SourceMap: source})
	require.NoError(t, err)
	for _, warning := range result.Warnings {
		warnings = append(warnings, warning.RuleName+": "+warning.Detail)
	}
	return warnings
}

func TestDockerfile_Lint(t *testing.T) {
	data, err := os.ReadFile("../../distribution/Dockerfile")
	require.NoError(t, err)
	assert.Empty(t, lint(t, data))
	assert.NotEmpty(t, lint(t, []byte("from scratch as build\nRUN a\nFROM scratch AS Final\n")), "the linter finds nothing")
}
