package prometheustext

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/prometheus/otlptranslator"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/otel/semconv/v1.40.0"
)

// maxLabelNames bounds the names that are kept because translating them takes longer than looking them up.
const maxLabelNames = 10_000

// label is an attribute as Prometheus sees it.
type label struct {
	name, value string
	key         string // of the attribute
}

// labelNames translates keys of attributes.
type labelNames struct {
	namer otlptranslator.LabelNamer
	names map[string]string
}

func newLabelNames() labelNames {
	// As the Collector's Prometheus exporter does unless a feature gate says otherwise.
	return labelNames{otlptranslator.LabelNamer{PreserveMultipleUnderscores: true}, map[string]string{}}
}

func (n *labelNames) name(key string) (string, error) {
	if name, ok := n.names[key]; ok {
		return name, nil
	}
	name, err := n.namer.Build(key)
	if err != nil {
		return "", fmt.Errorf("attribute %q: %w", key, err)
	}
	if strings.HasPrefix(name, "__") {
		return "", fmt.Errorf("attribute %q: Prometheus reserves labels that start with __", key)
	}
	if len(n.names) >= maxLabelNames {
		clear(n.names)
	}
	name = strings.Clone(name)
	n.names[strings.Clone(key)] = name
	return name, nil
}

// append appends the labels of attributes, by name. Those without a value are left out, as Prometheus does.
func (n *labelNames) append(labels []label, attributes pcommon.Map) ([]label, error) {
	for key, value := range attributes.All() {
		name, err := n.name(key)
		if err != nil {
			return labels, err
		}
		if text := value.AsString(); text != "" {
			labels = append(labels, label{name, text, key})
		}
	}
	return joined(labels), nil
}

// joined sorts labels by name and joins those of one name.
func joined(labels []label) []label {
	slices.SortStableFunc(labels, func(a, b label) int { return cmp.Or(cmp.Compare(a.name, b.name), cmp.Compare(a.key, b.key)) })
	kept := labels[:0]
	for _, l := range labels {
		if last := len(kept) - 1; last < 0 || kept[last].name != l.name {
			kept = append(kept, l)
		} else if kept[last].key != l.key { // otherwise the first one counts
			kept[last].value += ";" + l.value
		}
	}
	return kept
}

// appendTarget appends what identifies the target of a scrape, if a resource says.
func appendTarget(labels []label, resource pcommon.Map) []label {
	if name, ok := resource.Get(string(semconv.ServiceNameKey)); ok {
		job := name.AsString()
		if namespace, ok := resource.Get(string(semconv.ServiceNamespaceKey)); ok {
			job = namespace.AsString() + "/" + job
		}
		labels = append(labels, label{name: "job", value: job})
	}
	if id, ok := resource.Get(string(semconv.ServiceInstanceIDKey)); ok {
		labels = append(labels, label{name: "instance", value: id.AsString()})
	}
	return joined(labels)
}

// overlap reports whether labels have a name in common. Both are sorted.
func overlap(a, b []label) bool {
	for len(a) > 0 && len(b) > 0 {
		switch {
		case a[0].name == b[0].name:
			return true
		case a[0].name < b[0].name:
			a = a[1:]
		default:
			b = b[1:]
		}
	}
	return false
}

// appendLabels writes labels as name="value",….
func appendLabels(dst []byte, labels []label) []byte {
	for i, l := range labels {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(dst, l.name...)
		dst = append(dst, `="`...)
		dst = appendEscaped(dst, l.value, "\\\n\"")
		dst = append(dst, '"')
	}
	return dst
}

// appendMerged writes two lists of labels as one. Both are sorted, and they have no name in common.
func appendMerged(dst []byte, a, b string) []byte {
	for a != "" && b != "" {
		nameA, nameB := a[:strings.IndexByte(a, '=')], b[:strings.IndexByte(b, '=')]
		if nameB < nameA {
			a, b, nameA = b, a, nameB
		}
		end := endOfLabel(a, len(nameA)+len(`="`))
		dst = append(dst, a[:end]...)
		dst = append(dst, ',')
		a = strings.TrimPrefix(a[end:], ",")
	}
	dst = append(dst, a...)
	return append(dst, b...)
}

// endOfLabel is where the label ends whose value begins at the given index.
func endOfLabel(labels string, value int) int {
	for i := value; ; i++ {
		i += strings.IndexByte(labels[i:], '"')
		backslashes := 0
		for labels[i-1-backslashes] == '\\' {
			backslashes++
		}
		if backslashes%2 == 0 {
			return i + 1
		}
	}
}

// appendEscaped writes text with special characters, of which line breaks may be one, escaped, and with what is not UTF-8 replaced.
func appendEscaped(dst []byte, text, special string) []byte {
	if !utf8.ValidString(text) {
		text = strings.ToValidUTF8(text, string(utf8.RuneError))
	}
	for {
		i := strings.IndexAny(text, special)
		if i < 0 {
			return append(dst, text...)
		}
		dst = append(append(dst, text[:i]...), '\\')
		if text[i] == '\n' {
			dst = append(dst, 'n')
		} else {
			dst = append(dst, text[i])
		}
		text = text[i+1:]
	}
}
