// Schemagen generates the row types of balenaclient and its packages of columns from schema.yaml.
package main

import (
	"bytes"
	"cmp"
	_ "embed"
	"errors"
	"fmt"
	"go/format"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"text/template"
	"unicode"

	"go.yaml.in/yaml/v3"
)

//go:embed resources.go.tmpl
var resourcesTemplate string

//go:embed fields.go.tmpl
var fieldsTemplate string

//go:embed columns.go.tmpl
var columnsTemplate string

type resource struct {
	Type     string     `yaml:"type"`
	Resource string     `yaml:"resource"`
	Package  string     `yaml:"package"`
	Doc      string     `yaml:"doc"`
	Label    string     `yaml:"label"`
	Keys     [][]string `yaml:"keys"`
	Fields   []field    `yaml:"fields"`

	Cloud      bool     `yaml:"cloud"`
	Protected  bool     `yaml:"protected"`
	Unreadable bool     `yaml:"unreadable"`
	Names      string   `yaml:"names"`
	PluralName string   `yaml:"plural"`
	Ignored    []string `yaml:"ignored"`
}

type field struct {
	Name     string `yaml:"name"`
	Go       string `yaml:"go"`
	Type     string `yaml:"type"`
	Doc      string `yaml:"doc"`
	Cloud    bool   `yaml:"cloud"`
	Large    bool   `yaml:"large"`
	Rare     bool   `yaml:"rare"`
	Computed bool   `yaml:"computed"`
	Set      bool   `yaml:"set"`
	Max      int    `yaml:"max"`
}

func main() {
	if err := run("schema.yaml"); err != nil {
		fmt.Fprintln(os.Stderr, "schemagen:", err)
		os.Exit(1)
	}
}

func run(path string) error {
	data, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	var resources []resource
	decoder := yaml.NewDecoder(bytes.NewReader(data))
	decoder.KnownFields(true)
	if err := decoder.Decode(&resources); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	if err := check(resources); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	if err := write("resources_gen.go", resourcesTemplate, resources); err != nil {
		return err
	}
	if err := write("columns_gen.go", columnsTemplate, resources); err != nil {
		return err
	}
	for _, r := range resources {
		if r.Unreadable {
			continue
		}
		if err := os.MkdirAll(r.Package, 0o755); err != nil {
			return err
		}
		if err := write(filepath.Join(r.Package, r.Package+"_gen.go"), fieldsTemplate, r); err != nil {
			return err
		}
	}
	return nil
}

func check(resources []resource) error {
	types, packages := map[string]bool{}, map[string]bool{}
	var errs []error
	for i, r := range resources {
		switch {
		case r.Type == "" || r.Resource == "" || r.Package == "" && !r.Unreadable:
			errs = append(errs, fmt.Errorf("resource %d (%s): type, resource and package are needed", i+1, cmp.Or(r.Type, r.Resource, r.Package)))
		case types[r.Type] || packages[r.Package] && !r.Unreadable:
			errs = append(errs, fmt.Errorf("%s: duplicate type or package", r.Type))
		}
		types[r.Type], packages[r.Package] = true, true
	}
	for _, r := range resources {
		names := map[string]bool{"id": true, "ID": true}
		for _, f := range r.Fields {
			if f.Name == "" || f.Go == "" {
				errs = append(errs, fmt.Errorf("%s.%s: name and go are needed", r.Type, cmp.Or(f.Name, f.Go)))
				continue
			}
			if names[f.Name] || names[f.Go] {
				errs = append(errs, fmt.Errorf("%s.%s: duplicate name or go", r.Type, f.Name))
			}
			names[f.Name], names[f.Go] = true, true
			if target, ok := f.target(); ok && !types[target] {
				errs = append(errs, fmt.Errorf("%s.%s: unknown resource %q", r.Type, f.Name, target))
			} else if !ok && f.valueType() == "" {
				errs = append(errs, fmt.Errorf("%s.%s: unknown type %q", r.Type, f.Name, f.Type))
			}
			if f.Set && (f.Computed || f.IsLinks() || f.IsJSON()) {
				errs = append(errs, fmt.Errorf("%s.%s: computed, refs and json fields cannot be set", r.Type, f.Name))
			}
		}
		if f := r.field(r.Label); r.Label != "" && f.valueType() != "string" {
			errs = append(errs, fmt.Errorf("%s: label %q is not a string field", r.Type, r.Label))
		}
		for _, key := range r.Keys {
			if len(key) == 0 {
				errs = append(errs, fmt.Errorf("%s: empty key", r.Type))
			}
			for _, part := range key {
				switch f := r.field(part); {
				case f.Name == "":
					errs = append(errs, fmt.Errorf("%s: key with unknown field %q", r.Type, part))
				case f.IsLinks() || f.IsJSON():
					errs = append(errs, fmt.Errorf("%s: %q is of type %s, which cannot be part of a key", r.Type, part, f.Type))
				}
			}
		}
	}
	return errors.Join(errs...)
}

func write(path, text string, data any) error {
	parsed, err := template.New(path).Parse(text)
	if err != nil {
		return err
	}
	var out bytes.Buffer
	if err := parsed.Execute(&out, data); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	source, err := format.Source(out.Bytes())
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return os.WriteFile(path, source, 0o644)
}

func (r resource) field(name string) field {
	for _, f := range r.Fields {
		if f.Name == name {
			return f
		}
	}
	return field{}
}

// Plural is the name of the query for the resource.
func (r resource) Plural() string { return cmp.Or(r.PluralName, r.Type+"s") }

// LabelField is the field that a row prints as.
func (r resource) LabelField() string { return r.field(r.Label).Go }

// Noun is what a row is called in messages, for example "device variable".
func (r resource) Noun() string {
	var b strings.Builder
	for i, c := range r.Prefix() {
		if i > 0 && unicode.IsUpper(c) {
			b.WriteByte(' ')
		}
		b.WriteRune(unicode.ToLower(c))
	}
	return b.String()
}

// Prefix begins the names of the resource's columns within balenaclient.
func (r resource) Prefix() string {
	for i, c := range r.Type {
		if c >= 'a' && c <= 'z' {
			i = max(i-1, 1)
			return strings.ToLower(r.Type[:i]) + r.Type[i:]
		}
	}
	return strings.ToLower(r.Type)
}

// Rules is the expression of what writing the resource demands; empty if it demands nothing.
func (r resource) Rules() string {
	var parts []string
	if r.Protected {
		parts = append(parts, "Protected: true")
	}
	limits := map[string]int{}
	for _, f := range r.Fields {
		if f.Max > 0 {
			limits[f.Name] = f.Max
		}
	}
	if r.Names != "" {
		check := fmt.Sprintf("Check: %sRules.check", r.Names)
		if len(limits) > 0 {
			check = fmt.Sprintf("Check: %sRules.limited(%d).check", r.Names, limits["value"])
		}
		parts = append(parts, check)
	}
	if len(parts) == 0 {
		return ""
	}
	return ", pine.Rules{" + strings.Join(parts, ", ") + "}"
}

// HasTime reports whether a field's value is a time.
func (r resource) HasTime() bool {
	return slices.ContainsFunc(r.Fields, func(f field) bool { return f.valueType() == "time.Time" })
}

// UniqueKey is a natural key: a function of the fields package.
type UniqueKey struct {
	Name, Parameters, Expression, Doc string
}

// UniqueKeys are the resource's natural keys.
func (r resource) UniqueKeys() []UniqueKey {
	keys := make([]UniqueKey, len(r.Keys))
	for i, names := range r.Keys {
		var goNames, parameters, parts []string
		for _, name := range names {
			f := r.field(name)
			parameter := strings.ToLower(f.Go[:1]) + f.Go[1:]
			if strings.ToUpper(f.Go) == f.Go {
				parameter = strings.ToLower(f.Go)
			}
			goNames = append(goNames, f.Go)
			if f.IsLink() {
				parameters = append(parameters, fmt.Sprintf("%s balenaclient.%sID", parameter, f.Target()))
			} else {
				parameters = append(parameters, parameter+" "+f.valueType())
			}
			parts = append(parts, fmt.Sprintf("%s.Key(%s)", f.Go, parameter))
		}
		expression := parts[0]
		for _, part := range parts[1:] {
			expression += ".And(" + part + ")"
		}
		keys[i] = UniqueKey{
			Name:       "By" + strings.Join(goNames, "And"),
			Parameters: strings.Join(parameters, ", "),
			Expression: expression,
			Doc:        strings.Join(names, " and "),
		}
	}
	return keys
}

// target is the type that a link or navigation leads to.
func (f field) target() (string, bool) {
	kind, target, ok := strings.Cut(f.Type, " ")
	return target, ok && (kind == "ref" || kind == "refs")
}

// Target is the type that a link or navigation leads to.
func (f field) Target() string {
	target, _ := f.target()
	return target
}

// IsLink reports whether the field refers to at most one row.
func (f field) IsLink() bool { return strings.HasPrefix(f.Type, "ref ") }

// IsLinks reports whether the field leads to any number of rows.
func (f field) IsLinks() bool { return strings.HasPrefix(f.Type, "refs ") }

// IsJSON reports whether the field can be selected but not compared.
func (f field) IsJSON() bool { return strings.TrimSuffix(f.Type, "?") == "json" }

// valueType is the Go type of a value of the field; empty if the schema's type is unknown.
func (f field) valueType() string {
	switch strings.TrimSuffix(f.Type, "?") {
	case "string":
		return "string"
	case "bool":
		return "bool"
	case "int", "bigint":
		return "int64"
	case "time":
		return "time.Time"
	case "json":
		return "json.RawMessage"
	}
	return ""
}

// Column is the type of the field's constant. The package is that of the row types, with a dot.
func (f field) Column(pkg, row string) string {
	settable := ""
	if f.Set {
		settable = "Settable"
	}
	row = pkg + row
	switch {
	case f.IsLink():
		return fmt.Sprintf("pine.%sLink[%s, %s%s]", settable, row, pkg, f.Target())
	case f.IsLinks():
		return fmt.Sprintf("pine.Links[%s, %s%s]", row, pkg, f.Target())
	case f.IsJSON():
		return fmt.Sprintf("pine.Column[%s]", row)
	case f.valueType() == "string":
		return fmt.Sprintf("pine.%sText[%s]", settable, row)
	case f.Set:
		return fmt.Sprintf("pine.Settable[%s, %s]", row, f.valueType())
	}
	return fmt.Sprintf("pine.Field[%s, %s]", row, f.valueType())
}

// RowType is the Go type of the field in a row.
func (f field) RowType() string {
	switch {
	case f.IsLink():
		return "pine.Ref[" + f.Target() + "]"
	case f.IsLinks():
		return "pine.Refs[" + f.Target() + "]"
	}
	t := f.valueType()
	if strings.HasSuffix(f.Type, "?") && t != "string" && t != "json.RawMessage" {
		return "*" + t
	}
	return t
}

// Tag is the field's struct tag.
func (f field) Tag() string {
	name := f.Name
	if strings.TrimSuffix(f.Type, "?") == "bigint" {
		name += ",string" // the server sends big integers as strings
	}
	if f.IsLink() || f.IsLinks() {
		name += ",omitzero" // a link that was not fetched
	}
	tag := fmt.Sprintf("json:%q", name)
	if f.Cloud || f.Large || f.Rare {
		tag += ` pine:"optional"`
	}
	return "`" + tag + "`"
}

// Note says what is special about the field.
func (f field) Note() string {
	var notes []string
	if f.Cloud {
		notes = append(notes, "On balenaCloud only; never selected by default.")
	}
	if f.Large || f.Rare {
		notes = append(notes, "Never selected by default.")
	}
	if f.Computed {
		notes = append(notes, "Computed by the server for each request.")
	}
	if len(notes) == 0 {
		return ""
	}
	return " " + strings.Join(notes, " ")
}
