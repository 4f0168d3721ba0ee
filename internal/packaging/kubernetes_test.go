package packaging

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	monitoringv1 "github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring/v1"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/yaml"
	sigsyaml "sigs.k8s.io/yaml"
)

const nameLabel = "app.kubernetes.io/name"

// kinds are the API's types that the manifests may have.
var kinds = map[string]func() metav1.Object{
	"apps/v1 Deployment":                      func() metav1.Object { return new(appsv1.Deployment) },
	"apps/v1 StatefulSet":                     func() metav1.Object { return new(appsv1.StatefulSet) },
	"v1 Service":                              func() metav1.Object { return new(corev1.Service) },
	"v1 ConfigMap":                            func() metav1.Object { return new(corev1.ConfigMap) },
	"networking.k8s.io/v1 NetworkPolicy":      func() metav1.Object { return new(networkingv1.NetworkPolicy) },
	"monitoring.coreos.com/v1 ServiceMonitor": func() metav1.Object { return new(monitoringv1.ServiceMonitor) },
	"monitoring.coreos.com/v1 PrometheusRule": func() metav1.Object { return new(monitoringv1.PrometheusRule) },
}

// decode reads the documents of a manifest into the API's types. Unknown and repeated fields are errors, as with kubectl.
func decode(data []byte) (objects []metav1.Object, err error) {
	for reader := yaml.NewYAMLReader(bufio.NewReader(bytes.NewReader(data))); ; {
		document, err := reader.Read()
		if errors.Is(err, io.EOF) {
			return objects, nil
		}
		if err != nil {
			return nil, err
		}
		var meta metav1.TypeMeta
		if err := sigsyaml.Unmarshal(document, &meta); err != nil {
			return nil, err
		}
		create, ok := kinds[meta.APIVersion+" "+meta.Kind]
		if !ok {
			return nil, fmt.Errorf("unknown kind %s %s", meta.APIVersion, meta.Kind)
		}
		object := create()
		if err := sigsyaml.UnmarshalStrict(document, object); err != nil {
			return nil, fmt.Errorf("decode %s: %w", meta.Kind, err)
		}
		objects = append(objects, object)
	}
}

func TestDecode_RefusesMistakes(t *testing.T) {
	for name, document := range map[string]string{
		"an unknown kind":    "apiVersion: v1\nkind: Deployment\n",
		"a misspelled field": "apiVersion: v1\nkind: Service\nspec: {selektor: {}}\n",
		"a repeated field":   "apiVersion: v1\nkind: Service\nspec: {type: ClusterIP, type: NodePort}\n",
		"a wrong type":       "apiVersion: v1\nkind: Service\nspec: {ports: 8000}\n",
	} {
		t.Run(name, func(t *testing.T) {
			_, err := decode([]byte(document))
			assert.Error(t, err)
		})
	}
}

// deployments are the sets of manifests that are applied together.
var deployments = map[string][]string{
	"one Collector": {"distribution/kubernetes/*.yaml", "observability/kubernetes/*.yaml"},
	"shards":        {"distribution/kubernetes/shards/*.yaml", "distribution/kubernetes/servicemonitor.yaml", "observability/kubernetes/*.yaml"},
}

func manifestFiles(t *testing.T, patterns []string) (files []string) {
	t.Helper()
	for _, pattern := range patterns {
		found, err := filepath.Glob(filepath.Join(top, pattern))
		require.NoError(t, err)
		require.NotEmpty(t, found, pattern)
		files = append(files, found...)
	}
	return files
}

func manifests(t *testing.T, patterns []string) (objects []metav1.Object) {
	t.Helper()
	for _, file := range manifestFiles(t, patterns) {
		data, err := os.ReadFile(file)
		require.NoError(t, err)
		found, err := decode(data)
		require.NoError(t, err, file)
		require.NotEmpty(t, found, file)
		objects = append(objects, found...)
	}
	return objects
}

// of are the objects of one type.
func of[T metav1.Object](objects []metav1.Object) (result []T) {
	for _, object := range objects {
		if object, ok := object.(T); ok {
			result = append(result, object)
		}
	}
	return result
}

// pods are the templates of all pods that the objects start, by the label that selects them.
func pods(t *testing.T, objects []metav1.Object) map[string]corev1.PodTemplateSpec {
	t.Helper()
	result := map[string]corev1.PodTemplateSpec{}
	add := func(selector *metav1.LabelSelector, template corev1.PodTemplateSpec) {
		assert.Equal(t, selector.MatchLabels, template.Labels)
		require.Len(t, template.Spec.Containers, 1)
		result[template.Labels[nameLabel]] = template
	}
	for _, d := range of[*appsv1.Deployment](objects) {
		add(d.Spec.Selector, d.Spec.Template)
	}
	for _, s := range of[*appsv1.StatefulSet](objects) {
		add(s.Spec.Selector, s.Spec.Template)
	}
	require.NotEmpty(t, result)
	return result
}

func TestKubernetes(t *testing.T) {
	for name, patterns := range deployments {
		objects := manifests(t, patterns)
		templates := pods(t, objects)

		t.Run(name+": pods are confined", func(t *testing.T) {
			for name, template := range templates {
				pod, container := template.Spec, template.Spec.Containers[0]
				assert.False(t, *pod.AutomountServiceAccountToken, name)
				assert.True(t, *pod.SecurityContext.RunAsNonRoot, name)
				assert.Equal(t, corev1.SeccompProfileTypeRuntimeDefault, pod.SecurityContext.SeccompProfile.Type, name)
				assert.True(t, *container.SecurityContext.ReadOnlyRootFilesystem, name)
				assert.False(t, *container.SecurityContext.AllowPrivilegeEscalation, name)
				assert.Equal(t, []corev1.Capability{"ALL"}, container.SecurityContext.Capabilities.Drop, name)
			}
		})

		t.Run(name+": garbage collection knows the limit of memory", func(t *testing.T) {
			for name, template := range templates {
				container := template.Spec.Containers[0]
				limit, err := resource.ParseQuantity(strings.TrimSuffix(environment(container)["GOMEMLIMIT"], "B"))
				require.NoError(t, err, name)
				assert.InDelta(t, 0.8, limit.AsApproximateFloat64()/container.Resources.Limits.Memory().AsApproximateFloat64(), 0.03, name)
			}
		})

		t.Run(name+": the key is a file of the Secret", func(t *testing.T) {
			for name, template := range templates {
				container := template.Spec.Containers[0]
				assert.NotContains(t, environment(container), "BALENA_API_KEY", name)
				file, ok := environment(container)["BALENA_API_KEY_FILE"]
				if !ok { // the gateway needs none
					assert.Empty(t, template.Spec.Volumes, name)
					continue
				}
				require.Len(t, template.Spec.Volumes, 1, name)
				assert.Equal(t, "balena-api-key", template.Spec.Volumes[0].Secret.SecretName, name)
				assert.Equal(t, template.Spec.Volumes[0].Name, container.VolumeMounts[0].Name, name)
				assert.Equal(t, container.VolumeMounts[0].MountPath, filepath.Dir(file), name)
			}
		})

		t.Run(name+": configurations exist", func(t *testing.T) {
			for _, template := range templates {
				for _, arg := range template.Spec.Containers[0].Args {
					if arg != "--config" {
						assert.FileExists(t, filepath.Join("../../distribution", filepath.Base(arg)))
					}
				}
			}
		})

		t.Run(name+": probes, services, policies and the ServiceMonitor name ports and pods that exist", func(t *testing.T) {
			services := map[string]bool{}
			for name, template := range templates {
				container := template.Spec.Containers[0]
				assert.True(t, hasPort(container, container.LivenessProbe.TCPSocket.Port.StrVal), name)
				assert.True(t, hasPort(container, container.ReadinessProbe.HTTPGet.Port.StrVal), name)
				assert.Equal(t, "/status", container.ReadinessProbe.HTTPGet.Path, name)
			}
			for _, service := range of[*corev1.Service](objects) {
				template, ok := templates[service.Spec.Selector[nameLabel]]
				require.True(t, ok, "%s selects no pod", service.Name)
				for _, port := range service.Spec.Ports {
					services[service.Labels[nameLabel]+" "+port.Name] = true
					assert.True(t, slices.ContainsFunc(template.Spec.Containers[0].Ports, func(p corev1.ContainerPort) bool {
						return p.Name == port.TargetPort.StrVal && p.ContainerPort == port.Port
					}), "%s: %s", service.Name, port.Name)
				}
			}
			policies := map[string]bool{}
			for _, policy := range of[*networkingv1.NetworkPolicy](objects) {
				template, ok := templates[policy.Spec.PodSelector.MatchLabels[nameLabel]]
				require.True(t, ok, "%s selects no pod", policy.Name)
				policies[template.Labels[nameLabel]] = true
				for _, rule := range policy.Spec.Ingress {
					for _, port := range rule.Ports {
						assert.True(t, hasPort(template.Spec.Containers[0], port.Port.StrVal), "%s: %s", policy.Name, port.Port.StrVal)
					}
				}
			}
			for name := range templates {
				assert.True(t, policies[name], "%s has no NetworkPolicy", name)
			}
			monitors := of[*monitoringv1.ServiceMonitor](objects)
			require.Len(t, monitors, 1)
			for _, endpoint := range monitors[0].Spec.Endpoints {
				assert.True(t, services[monitors[0].Spec.Selector.MatchLabels[nameLabel]+" "+endpoint.Port], endpoint.Port)
			}
		})
	}
}

func environment(container corev1.Container) map[string]string {
	result := map[string]string{}
	for _, variable := range container.Env {
		result[variable.Name] = variable.Value
	}
	return result
}

func hasPort(container corev1.Container, name string) bool {
	return slices.ContainsFunc(container.Ports, func(p corev1.ContainerPort) bool { return p.Name == name })
}

// A pod gets its index from Kubernetes, but the total is written twice.
func TestKubernetes_ShardsCoverAllFleets(t *testing.T) {
	sets := of[*appsv1.StatefulSet](manifests(t, deployments["shards"]))
	require.Len(t, sets, 1)
	env := environment(sets[0].Spec.Template.Spec.Containers[0])
	assert.Equal(t, strconv.Itoa(int(*sets[0].Spec.Replicas)), env["BALENA_SHARD_TOTAL"])
	assert.Contains(t, env, "BALENA_SHARD_INDEX")
}
