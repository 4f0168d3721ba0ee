//go:build cluster

package packaging

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/otelcol-balena/balenareceiver/internal/process"
)

// cluster is a Kubernetes API server with its store. It checks objects, admits and keeps them. Nothing acts on them: no pod runs.
type cluster struct {
	env process.Env // for kubectl
}

func TestCluster(t *testing.T) {
	c := startCluster(t)
	c.installOperator(t)
	for name, patterns := range deployments {
		t.Run(name, func(t *testing.T) { c.testApply(t, patterns) })
	}
	t.Run("the commands of the documentation", c.testDocs)
	t.Run("mistakes are refused", c.testMistakes)
}

// testApply applies manifests strictly, as operators do who use server-side apply. A warning of the server is a failure.
func (c *cluster) testApply(t *testing.T, patterns []string) {
	namespace := c.createNamespace(t)
	files := fileArgs(manifestFiles(t, patterns))
	apply := append([]string{"apply", "--namespace", namespace, "--server-side", "--validate=strict", "--warnings-as-errors"}, files...)
	c.kubectl(t, apply...)
	objects := manifests(t, patterns)

	t.Run("the objects are kept as they were written", func(t *testing.T) {
		c.assertKept(t, namespace, files, objects)
	})

	t.Run("nothing changes when they are applied again", func(t *testing.T) {
		versions := append([]string{"get", "--namespace", namespace,
			"--output", `jsonpath={range .items[*]}{.kind}/{.metadata.name} {.metadata.resourceVersion}{"\n"}{end}`}, files...)
		before := c.kubectl(t, versions...)
		require.Len(t, strings.Split(before, "\n"), len(objects))
		c.kubectl(t, apply...)
		assert.Equal(t, before, c.kubectl(t, versions...))
	})

	// Nothing here makes pods of the templates, so the test does.
	for name, template := range pods(t, objects) {
		pod := corev1.Pod{
			TypeMeta:   metav1.TypeMeta{APIVersion: "v1", Kind: "Pod"},
			ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: namespace, Labels: template.Labels},
			Spec:       template.Spec,
		}

		t.Run("the pod "+name+" is admitted where pods are restricted", func(t *testing.T) {
			output(t, c.create(t, pod))
		})

		t.Run("the pod "+name+" would not be with one more capability", func(t *testing.T) {
			pod := *pod.DeepCopy()
			pod.Name += "-capable"
			pod.Spec.Containers[0].SecurityContext.Capabilities.Add = []corev1.Capability{"SYS_ADMIN"}
			message, err := c.create(t, pod).CombinedOutput()
			require.Error(t, err)
			assert.Contains(t, string(message), `violates PodSecurity "restricted:latest": unrestricted capabilities`)
		})
	}

	t.Run("nothing is left when they are deleted", func(t *testing.T) {
		c.kubectl(t, append([]string{"delete", "--namespace", namespace}, files...)...)
		assert.Empty(t, c.kubectl(t, append([]string{"get", "--namespace", namespace, "--ignore-not-found", "--output", "name"}, files...)...))
	})

	// Client-side apply finds a change, too, where the server sets a default in a list that has no keys.
	t.Run("nothing changes with client-side apply, either", func(t *testing.T) {
		apply := append([]string{"apply", "--namespace", namespace, "--warnings-as-errors"}, files...)
		c.kubectl(t, apply...)
		lines := strings.Split(c.kubectl(t, apply...), "\n")
		assert.Len(t, lines, len(objects))
		for _, line := range lines {
			assert.Regexp(t, " unchanged$", line)
		}
	})
}

// testDocs runs the commands that docs/installation.md gives, in the namespace default.
func (c *cluster) testDocs(t *testing.T) {
	key := filepath.Join(t.TempDir(), "key")
	require.NoError(t, os.WriteFile(key, []byte("none"), 0o600))
	_, section, _ := strings.Cut(read(t, filepath.Join(top, "docs/installation.md")), "\n## Kubernetes\n\n```sh\n")
	commands, _, found := strings.Cut(section, "```")
	require.True(t, found, "the commands have moved")
	create, apply, _ := strings.Cut(strings.ReplaceAll(commands, "/path/to/api-key", key), "\n")
	shell := func(command string) string {
		cmd := process.Command(c.env, "sh", "-e", "-c", command)
		cmd.Dir = top
		return output(t, cmd)
	}

	shell(create)
	assert.Equal(t, "none", c.kubectl(t, "get", "secret", "balena-api-key", "--output", `go-template={{index .data "api-key" | base64decode}}`))
	shell(apply)
	patterns := deployments["one Collector"]
	c.assertKept(t, "default", fileArgs(manifestFiles(t, patterns)), manifests(t, patterns))

	var version struct{ Major, Minor string }
	require.NoError(t, json.Unmarshal([]byte(c.kubectl(t, "get", "--raw", "/version")), &version))
	assert.Contains(t, section, "Kubernetes "+version.Major+"."+version.Minor+",")
}

func (c *cluster) testMistakes(t *testing.T) {
	const (
		collector = "distribution/kubernetes/deployment.yaml"
		shards    = "distribution/kubernetes/shards/shards.yaml"
		policy    = "distribution/kubernetes/networkpolicy.yaml"
		monitor   = "distribution/kubernetes/servicemonitor.yaml"
		rule      = "observability/kubernetes/prometheusrule.yaml"
	)
	for name, test := range map[string]struct{ file, right, wrong, message string }{
		"a misspelled field of a Deployment":           {collector, "readOnlyRootFilesystem:", "readOnlyRootFilesytem:", "readOnlyRootFilesytem"},
		"a misspelled field of a StatefulSet":          {shards, "podManagementPolicy:", "podManagmentPolicy:", "podManagmentPolicy"},
		"a misspelled field of a NetworkPolicy":        {policy, "podSelector:", "podSelektor:", "podSelektor"},
		"a misspelled field of a ServiceMonitor":       {monitor, "interval:", "intervall:", "intervall"},
		"a misspelled field of a PrometheusRule":       {rule, "expr:", "exp:", "exp"},
		"a name of a port that is too long":            {collector, "name: telemetry,", "name: metrics-of-the-collector,", "must be no more than 15 characters"},
		"file permissions that do not exist":           {collector, "0440", "4400", "must be a number between 0 and 0777"},
		"a field of the pod that no variable can have": {shards, "metadata.labels[", "metadata.label[", "metadata.label["},
		"an interval that is not one":                  {monitor, "60s", "a minute", "spec.endpoints[0].interval"},
	} {
		t.Run(name, func(t *testing.T) {
			manifest := read(t, filepath.Join(top, test.file))
			require.Contains(t, manifest, test.right)
			cmd := c.command("apply", "--server-side", "--dry-run=server", "--validate=strict", "--filename", "-")
			cmd.Stdin = strings.NewReader(strings.ReplaceAll(manifest, test.right, test.wrong))
			message, err := cmd.CombinedOutput()
			require.Error(t, err)
			assert.Contains(t, string(message), test.message)
		})
	}
}

// assertKept asserts that the server has the objects of the files, with every value that is set in them.
func (c *cluster) assertKept(t *testing.T, namespace string, files []string, objects []metav1.Object) {
	t.Helper()
	var kept struct{ Items []any }
	response := c.kubectl(t, append([]string{"get", "--namespace", namespace, "--output", "json"}, files...)...)
	require.NoError(t, json.Unmarshal([]byte(response), &kept))
	require.Len(t, kept.Items, len(objects))
	for i, object := range objects {
		data, err := json.Marshal(object)
		require.NoError(t, err)
		var want any
		require.NoError(t, json.Unmarshal(data, &want))
		assertIncludes(t, object.GetName(), want, kept.Items[i])
	}
}

// assertIncludes asserts that got has every value of want; the server adds more. Both are decoded JSON.
func assertIncludes(t *testing.T, path string, want, got any) {
	t.Helper()
	switch want := want.(type) {
	case nil:
	case map[string]any:
		got, _ := got.(map[string]any)
		for name, value := range want {
			assertIncludes(t, path+"."+name, value, got[name])
		}
	case []any:
		got, _ := got.([]any)
		if assert.Len(t, got, len(want), path) {
			for i := range want {
				assertIncludes(t, fmt.Sprintf("%s[%d]", path, i), want[i], got[i])
			}
		}
	default:
		assert.Equal(t, want, got, path)
	}
}

// startCluster starts etcd and a Kubernetes API server until the end of the test.
func startCluster(t *testing.T) *cluster {
	t.Helper()
	dir := t.TempDir()
	programs, err := filepath.Abs(filepath.Join(top, "dist"))
	require.NoError(t, err)
	program := func(name string) string {
		path := filepath.Join(programs, name)
		require.FileExists(t, path, "make cluster builds it")
		return path
	}
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
		return path
	}

	store, peers := "http://"+process.FreeAddress(t), "http://"+process.FreeAddress(t)
	etcd := process.Command(nil, program("etcd"), "--data-dir", filepath.Join(dir, "etcd"), "--unsafe-no-fsync", "--log-level", "error",
		"--listen-client-urls", store, "--advertise-client-urls", store,
		"--listen-peer-urls", peers, "--initial-advertise-peer-urls", peers, "--initial-cluster", "default="+peers)
	log := &process.Buffer{}
	etcd.Stdout, etcd.Stderr = log, log
	require.NoError(t, etcd.Start())
	t.Cleanup(func() { // not process.Start: etcd never exits with 0
		_ = etcd.Process.Kill()
		_ = etcd.Wait()
		if t.Failed() {
			t.Logf("log of etcd:\n%s", log)
		}
	})

	address, token := process.FreeAddress(t), rand.Text()
	host, port, err := net.SplitHostPort(address)
	require.NoError(t, err)
	key := write("service-accounts.key", newKey(t))
	server := process.Start(t, process.Command(nil, program("kube-apiserver"), "--etcd-servers", store,
		"--bind-address", host, "--advertise-address", host, "--secure-port", port, "--endpoint-reconciler-type", "none",
		"--cert-dir", dir, "--token-auth-file", write("tokens.csv", token+",admin,admin,system:masters"), "--authorization-mode", "RBAC",
		"--service-account-issuer", "https://kubernetes.default.svc", "--service-account-key-file", key, "--service-account-signing-key-file", key,
		"--service-cluster-ip-range", "10.0.0.0/24"))
	c := &cluster{process.Env{"HOME": dir, "PATH": programs + ":" + os.Getenv("PATH"), "KUBECONFIG": write("config", fmt.Sprintf(`
apiVersion: v1
kind: Config
current-context: test
contexts: [{name: test, context: {cluster: test, user: admin}}]
users: [{name: admin, user: {token: %s}}]
clusters: [{name: test, cluster: {server: "https://%s", certificate-authority: %s}}]
`, token, address, filepath.Join(dir, "apiserver.crt")))}}
	program("kubectl")
	require.EventuallyWithT(t, func(t *assert.CollectT) {
		server.Running(t)
		message, err := c.command("get", "--raw", "/readyz").CombinedOutput()
		require.NoError(t, err, string(message))
	}, 2*time.Minute, time.Second)
	return c
}

// installOperator adds the types of the Prometheus operator that the manifests use. The operator itself does not run.
func (c *cluster) installOperator(t *testing.T) {
	t.Helper()
	download := exec.Command("go", "mod", "download", "-json", "github.com/prometheus-operator/prometheus-operator")
	download.Dir = "../cluster"
	var module struct{ Dir string }
	require.NoError(t, json.Unmarshal([]byte(output(t, download)), &module))
	file := func(kind string) string {
		return filepath.Join(module.Dir, "example/prometheus-operator-crd/monitoring.coreos.com_"+kind+".yaml")
	}
	c.kubectl(t, "apply", "--server-side", "--filename", file("servicemonitors"), "--filename", file("prometheusrules"))
	c.kubectl(t, "wait", "--for", "condition=Established", "crd/servicemonitors.monitoring.coreos.com", "crd/prometheusrules.monitoring.coreos.com")
}

// createNamespace returns a namespace with the strictest Pod Security Standard, which applies to pods and warns of the templates of pods.
func (c *cluster) createNamespace(t *testing.T) string {
	t.Helper()
	name := "test-" + strings.ToLower(rand.Text()[:8])
	c.kubectl(t, "create", "namespace", name)
	c.kubectl(t, "label", "namespace", name, "pod-security.kubernetes.io/enforce=restricted", "pod-security.kubernetes.io/warn=restricted")
	c.kubectl(t, "create", "serviceaccount", "default", "--namespace", name) // which a controller would do
	return name
}

func (c *cluster) create(t *testing.T, pod corev1.Pod) *exec.Cmd {
	t.Helper()
	data, err := json.Marshal(pod)
	require.NoError(t, err)
	cmd := c.command("create", "--validate=strict", "--warnings-as-errors", "--filename", "-")
	cmd.Stdin = strings.NewReader(string(data))
	return cmd
}

func (c *cluster) command(args ...string) *exec.Cmd {
	return process.Command(c.env, filepath.Join(top, "dist/kubectl"), args...)
}

func (c *cluster) kubectl(t *testing.T, args ...string) string {
	t.Helper()
	return output(t, c.command(args...))
}

func fileArgs(files []string) (args []string) {
	for _, file := range files {
		args = append(args, "--filename", file)
	}
	return args
}

// newKey returns a new private key as PEM.
func newKey(t *testing.T) string {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	der, err := x509.MarshalECPrivateKey(key)
	require.NoError(t, err)
	return string(pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: der}))
}
