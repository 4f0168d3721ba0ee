//go:build e2e

package distribution

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"

	"github.com/otelcol-balena/balenareceiver/internal/process"
)

// Each example configuration of the documentation is valid: on its own if it has receivers and a service, otherwise on top of otelcol.yaml.
func TestDocs_ConfigurationsAreValid(t *testing.T) {
	t.Parallel()
	validated := 0
	for _, p := range pages(t) {
		for _, b := range p.blocks {
			var document struct {
				Receivers  yaml.Node
				Processors yaml.Node
				Service    yaml.Node
			}
			if b.language != "yaml" || strings.HasSuffix(p.path, "documentation.md") || yaml.Unmarshal([]byte(b.code), &document) != nil ||
				document.Receivers.Kind != yaml.MappingNode && document.Processors.Kind != yaml.MappingNode {
				continue
			}
			validated++
			t.Run(b.at, func(t *testing.T) {
				t.Parallel()
				vars := env{"BALENA_API_KEY": "none"}
				path := filepath.Join(t.TempDir(), "config.yaml")
				require.NoError(t, os.WriteFile(path, []byte(b.code), 0o600))
				args := []string{"validate", "--config", path}
				if document.Service.IsZero() || document.Receivers.IsZero() {
					args = []string{"validate", "--config", "otelcol.yaml", "--config", path}
				}
				out, err := process.Command(vars, *binary, args...).CombinedOutput()
				assert.NoError(t, err, "%s", out)
			})
		}
	}
	assert.Greater(t, validated, 6)
}

// Each command of the documentation works, as far as it can be run here: make knows the target, the Collector accepts the
// configuration. What needs another program is checked for the files that it names.
func TestDocs_CommandsWork(t *testing.T) {
	t.Parallel()
	variable := regexp.MustCompile(`^[A-Z_]+=\S*$`)
	for _, p := range pages(t) {
		for _, b := range p.blocks {
			if b.language != "sh" || strings.HasPrefix(p.path, "../balena") {
				continue
			}
			for line := range strings.Lines(b.code) {
				line, _, _ = strings.Cut(line, " #")
				words := strings.Fields(line)
				vars := env{"PATH": os.Getenv("PATH"), "HOME": os.Getenv("HOME"), "BALENA_API_KEY": "none"}
				for len(words) > 0 && variable.MatchString(words[0]) {
					name, value, _ := strings.Cut(words[0], "=")
					vars[name], words = value, words[1:]
				}
				if len(words) == 0 {
					continue
				}
				t.Run(b.at+" "+strings.Join(words, " "), func(t *testing.T) {
					t.Parallel()
					switch words[0] {
					case "make":
						run(t, vars, "make", append([]string{"-C", "..", "-n"}, words[1:]...)...)
					case "dist/otelcol-balena":
						args := []string{"validate"}
						for _, word := range words[1:] {
							args = append(args, strings.Replace(word, "distribution/", "", 1))
						}
						run(t, vars, *binary, args...)
					case "curl": // TestDocs_HealthCheck
					case "docker", "kubectl", "balena", "dpkg", "cp", "install", "systemctl", "go", "git", "cd", "kafka-topics.sh":
						for _, word := range words[1:] {
							if strings.HasPrefix(word, "distribution/") || strings.HasPrefix(word, "observability/") {
								_, err := os.Stat(filepath.Join("..", word))
								assert.NoError(t, err)
							}
						}
					default:
						t.Errorf("how can this be checked?")
					}
				})
			}
		}
	}
}

func run(t *testing.T, vars env, name string, args ...string) {
	t.Helper()
	out, err := process.Command(vars, name, args...).CombinedOutput()
	assert.NoError(t, err, "%s", out)
}

// Each message in the table of docs/troubleshooting.md is what the Collector logs, word for word, when that happens.
func TestDocs_Troubleshooting(t *testing.T) {
	t.Parallel()
	respond := func(status int, body string) func(*api, env) []string {
		return func(a *api, _ env) []string {
			a.breakDown(func(w http.ResponseWriter, _ *http.Request) {
				w.WriteHeader(status)
				_, _ = io.WriteString(w, body)
			})
			return nil
		}
	}
	url := func(url string) func(*api, env) []string {
		return func(_ *api, vars env) []string { vars["BALENA_API_URL"] = url; return nil }
	}
	hang := func(settings ...string) func(*api, env) []string {
		return func(a *api, _ env) []string {
			a.breakDown(func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
			return settings
		}
	}
	// What makes the Collector say it: a fault of the API, the environment or settings.
	causes := map[string]func(*api, env) []string{
		"the API rejects the credentials": badKey,
		"connection refused":              url("http://" + freeAddress(t)),
		"no such host":                    url("https://api.balena.invalid"),
		"404 Not Found":                   respond(http.StatusNotFound, "Not Found"),
		"redirected to another host": func(a *api, _ env) []string {
			a.breakDown(func(w http.ResponseWriter, r *http.Request) {
				http.Redirect(w, r, "https://dashboard.example.com", http.StatusFound)
			})
			return nil
		},
		"429 Too Many Requests": func(a *api, _ env) []string {
			a.breakDown(func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Retry-After", "100")
				w.WriteHeader(http.StatusTooManyRequests)
			})
			return nil
		},
		"no complete response within":   hang("receivers::balena::api::timeout: 100ms"),
		"context deadline exceeded":     hang("receivers::balena::api::timeout: 1m"),
		`"request_budget" is exhausted`: func(*api, env) []string { return []string{"receivers::balena::request_budget: 4"} },
		"skipped 1 row(s)": func(a *api, _ env) []string {
			a.breakDown(func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Path == "/v7/application" {
					_, _ = io.WriteString(w, `{"d":[{"id":1,"app_name":7,"slug":{}}]}`)
					return
				}
				a.sim.ServeHTTP(w, r)
			})
			return nil
		},
	}
	for _, message := range messagesIn(t, "../docs/troubleshooting.md") {
		t.Run(message, func(t *testing.T) {
			t.Parallel()
			if message == "certificate signed by unknown authority" {
				c := startCollector(t, "otelcol.yaml", startTLSAPI(t).env())
				c.reportsErrors(t, message)
				return
			}
			cause := causes[message]
			require.NotNil(t, cause, "no test provokes this message")
			api := startAPI(t)
			vars := api.env()
			var args []string
			for _, setting := range cause(api, vars) {
				args = append(args, "--config", "yaml:"+setting)
			}
			c := startCollector(t, "otelcol.yaml", vars, args...)
			c.reportsErrors(t, strings.ReplaceAll(message, `"`, `\"`)) // the log is JSON
		})
	}
}

func badKey(_ *api, vars env) []string { vars["BALENA_API_KEY"] = "not-a-real-token"; return nil }

// messagesIn are the quoted texts in the first column of the tables of a page.
func messagesIn(t *testing.T, path string) (messages []string) {
	t.Helper()
	for _, match := range regexp.MustCompile("(?m)^\\| `([^`]+)` \\|").FindAllStringSubmatch(readPage(t, path).text, -1) {
		messages = append(messages, match[1])
	}
	require.NotEmpty(t, messages, path)
	return messages
}

// The fields that docs/operating.md shows are those of a real response.
func TestDocs_HealthCheck(t *testing.T) {
	t.Parallel()
	api := startAPI(t)
	api.breakDown(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusServiceUnavailable) })
	vars := api.env()
	vars["BALENA_UNHEALTHY_AFTER"] = "1ms"
	c := startCollector(t, "otelcol.yaml", vars)
	c.becomes(t, http.StatusInternalServerError)

	var documented map[string]any
	for _, b := range readPage(t, "../docs/operating.md").blocks {
		if b.language == "json" {
			require.NoError(t, yaml.Unmarshal([]byte(b.code), &documented), b.at)
		}
	}
	var real map[string]any
	_, body := c.health(t)
	require.NoError(t, yaml.Unmarshal([]byte(body), &real))
	for key, value := range documented {
		assert.Contains(t, real, key)
		if key == "status" || key == "healthy" {
			assert.Equal(t, real[key], value, key)
		}
	}
	assert.Contains(t, strings.ReplaceAll(fmt.Sprint(real["error"]), api.URL, "https://api.balena-cloud.com"), fmt.Sprint(documented["error"]))
}
