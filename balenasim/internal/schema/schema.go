// Package schema describes the resources of the balena API: their fields with
// types, the navigations between them, their natural keys and the differences
// between the versions of the API.
package schema

import (
	"fmt"
	"slices"
)

// Type is the type of a field.
type Type uint8

// The types of fields.
const (
	Int Type = iota
	BigInt
	Text
	Bool
	Time
	JSON
	Ref // a reference to the id of a row of another resource
)

// Version is a version of the API.
type Version uint8

// The versions that the server offers.
const (
	V6 Version = iota + 6
	V7
)

// String is the first segment of the paths of the version.
func (v Version) String() string { return fmt.Sprintf("v%d", uint8(v)) }

// Resource describes a resource as it is stored, which is its v7 form.
type Resource struct {
	Name   string
	Fields []Field
	Keys   [][]string // natural keys of more than one field
	// Aliases are other names of the resource.
	Aliases []string
	// Hidden resources can be navigated to but not asked for.
	Hidden bool
}

// Field is a column of a resource.
type Field struct {
	Name   string
	Type   Type
	Unique bool   // a natural key of its own
	To     string // the resource that a Ref refers to

	// Required references make a row part of what it refers to: it is deleted
	// with it.
	Required bool

	// Alias is a second name that the reference can be navigated by.
	Alias string
	// Reverse navigates from the referenced resource to this one.
	Reverse string
	// V6Reverse is the name of Reverse in v6, if it differs.
	V6Reverse string

	// Computed fields have no column: the server derives them from others.
	Computed bool
	// V6 is the name in v6: the same if empty, absent if "-".
	V6 string
	// V6Type overrides the type in v6, if V6Typed.
	V6Type  Type
	V6Typed bool
	// V6Only fields exist in v6 and not in v7.
	V6Only bool
}

// Model is what one version of the API shows.
type Model struct {
	Version   Version
	resources map[string]*View
}

// View is a resource as one version of the API shows it.
type View struct {
	Resource *Resource
	Fields   []ViewField
	byName   map[string]int
	navs     map[string]Nav
}

// ViewField is a field as one version of the API shows it.
type ViewField struct {
	Name  string
	Type  Type
	Field *Field
}

// Nav leads from a row to the rows of another resource.
type Nav struct {
	Target *View
	// Field is the reference that is followed, and Owner the resource that
	// has it: the one that the navigation starts from if Forward, the target
	// otherwise.
	Field   *Field
	Owner   *Resource
	Forward bool
}

// Models builds the models of all versions.
func Models() map[Version]*Model {
	out := map[Version]*Model{}
	for _, v := range []Version{V6, V7} {
		out[v] = newModel(v)
	}
	return out
}

// Resources lists the stored resources.
func Resources() []*Resource {
	out := make([]*Resource, len(resources))
	for i := range resources {
		out[i] = &resources[i]
	}
	return out
}

// Lookup finds a stored resource by name.
func Lookup(name string) *Resource {
	i := slices.IndexFunc(resources, func(r Resource) bool { return r.Name == name })
	if i < 0 {
		return nil
	}
	return &resources[i]
}

// Index is the position of a field, -1 if there is none.
func (r *Resource) Index(name string) int {
	for i := range r.Fields {
		if r.Fields[i].Name == name {
			return i
		}
	}
	return -1
}

func newModel(v Version) *Model {
	m := &Model{Version: v, resources: map[string]*View{}}
	views := map[string]*View{}
	for i := range resources {
		r := &resources[i]
		views[r.Name] = newView(r, v)
	}
	for _, view := range views {
		for _, f := range view.Fields {
			if f.Type != Ref {
				continue
			}
			target := views[f.Field.To]
			if target == nil {
				continue
			}
			forward := Nav{Target: target, Field: f.Field, Owner: view.Resource, Forward: true}
			view.navs[f.Name] = forward
			if f.Field.Alias != "" {
				view.navs[f.Field.Alias] = forward
			}
			reverse := f.Field.Reverse
			if v == V6 && f.Field.V6Reverse != "" {
				reverse = f.Field.V6Reverse
			}
			if reverse != "" {
				target.navs[reverse] = Nav{Target: view, Field: f.Field, Owner: view.Resource}
			}
		}
	}
	for _, view := range views {
		if view.Resource.Hidden {
			continue
		}
		m.resources[view.Resource.Name] = view
		for _, alias := range view.Resource.Aliases {
			m.resources[alias] = view
		}
	}
	if v == V6 {
		// v6 had a resource of its own for the fleets of the caller.
		m.resources["my_application"] = views["application"]
	}
	return m
}

func newView(r *Resource, v Version) *View {
	view := &View{Resource: r, byName: map[string]int{}, navs: map[string]Nav{}}
	for i := range r.Fields {
		f := &r.Fields[i]
		vf := ViewField{Name: f.Name, Type: f.Type, Field: f}
		switch {
		case v == V7 && f.V6Only, v == V6 && f.V6 == "-":
			continue
		case v == V6:
			if f.V6 != "" {
				vf.Name = f.V6
			}
			if f.V6Typed {
				vf.Type = f.V6Type
			}
		}
		view.byName[vf.Name] = len(view.Fields)
		view.Fields = append(view.Fields, vf)
	}
	return view
}

// Resource finds the view of a resource, nil if the version has none.
func (m *Model) Resource(name string) *View { return m.resources[name] }

// Field finds a field by name.
func (v *View) Field(name string) (ViewField, bool) {
	i, ok := v.byName[name]
	if !ok {
		return ViewField{}, false
	}
	return v.Fields[i], true
}

// Nav finds a navigation by name.
func (v *View) Nav(name string) (Nav, bool) {
	n, ok := v.navs[name]
	return n, ok
}

// IsKey says whether the fields are a natural key of the resource.
func (r *Resource) IsKey(names []string) bool {
	if len(names) == 1 {
		i := r.Index(names[0])
		return i >= 0 && (r.Fields[i].Unique || r.Fields[i].Name == "id")
	}
	sorted := slices.Sorted(slices.Values(names))
	for _, key := range r.Keys {
		if slices.Equal(slices.Sorted(slices.Values(key)), sorted) {
			return true
		}
	}
	return false
}
