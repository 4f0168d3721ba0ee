// Command generate writes what observability/ has of the dashboards of package dashboards, and what Kubernetes takes of them and of the rules.
package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"gopkg.in/yaml.v3"

	"github.com/otelcol-balena/balenareceiver/internal/observability/dashboards"
)

func main() {
	if err := generate("../../../observability"); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// metadata is that of a Kubernetes object.
type metadata struct {
	Name   string            `yaml:"name"`
	Labels map[string]string `yaml:"labels"`
}

type configMap struct {
	APIVersion string            `yaml:"apiVersion"`
	Kind       string            `yaml:"kind"`
	Metadata   metadata          `yaml:"metadata"`
	Data       map[string]string `yaml:"data"`
}

type prometheusRule struct {
	APIVersion string   `yaml:"apiVersion"`
	Kind       string   `yaml:"kind"`
	Metadata   metadata `yaml:"metadata"`
	Spec       groups   `yaml:"spec"`
}

type groups struct {
	Groups []yaml.Node `yaml:"groups"`
}

const header = "# Generated from %s by make generate. Do not edit.\n"

func generate(dir string) error {
	maps := []any{}
	for _, d := range dashboards.All() {
		var text bytes.Buffer
		encoder := json.NewEncoder(&text)
		encoder.SetEscapeHTML(false)
		encoder.SetIndent("", "  ")
		if err := encoder.Encode(d); err != nil {
			return fmt.Errorf("dashboard %s: %w", d.UID, err)
		}
		name := strings.TrimPrefix(d.UID, "balena-") + ".json"
		if err := os.WriteFile(filepath.Join(dir, "dashboards", name), text.Bytes(), 0o644); err != nil {
			return err
		}
		maps = append(maps, configMap{"v1", "ConfigMap", metadata{"dashboard-" + d.UID, map[string]string{
			"app.kubernetes.io/name": "otelcol-balena", "grafana_dashboard": "1", // the label that Grafana's sidecar looks for
		}}, map[string]string{d.UID + ".json": text.String()}})
	}
	if err := write(filepath.Join(dir, "kubernetes", "dashboards.yaml"), "observability/dashboards", maps...); err != nil {
		return err
	}

	rule := prometheusRule{"monitoring.coreos.com/v1", "PrometheusRule", metadata{"balena-rules", map[string]string{
		"app.kubernetes.io/name": "otelcol-balena",
	}}, groups{}}
	files, err := filepath.Glob(filepath.Join(dir, "rules", "*.yaml"))
	if err != nil {
		return err
	}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		var of groups
		if err := yaml.Unmarshal(data, &of); err != nil {
			return fmt.Errorf("%s: %w", file, err)
		}
		rule.Spec.Groups = append(rule.Spec.Groups, of.Groups...)
	}
	return write(filepath.Join(dir, "kubernetes", "prometheusrule.yaml"), "observability/rules", rule)
}

func write(path, source string, documents ...any) error {
	var text bytes.Buffer
	fmt.Fprintf(&text, header, source)
	encoder := yaml.NewEncoder(&text)
	encoder.SetIndent(2)
	for _, document := range documents {
		if err := encoder.Encode(document); err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
	}
	if err := encoder.Close(); err != nil {
		return err
	}
	return os.WriteFile(path, text.Bytes(), 0o644)
}
