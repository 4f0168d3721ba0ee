// Package schema describes the resources of the balena API: their fields with
// types, the navigations between them, their natural keys and the differences
// between the versions of the API.
package schema

import (
	"fmt"
	"maps"
	"slices"
	"strings"
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

// The versions that the server offers, and the internal model, which behaves
// like v7.
const (
	V6 Version = iota + 6
	V7
	Resin
)

// Versions lists all versions.
var Versions = []Version{V6, V7, Resin}

// String is the first segment of the paths of the version.
func (v Version) String() string {
	if v == Resin {
		return "resin"
	}
	return fmt.Sprintf("v%d", uint8(v))
}

// Resource describes a resource as stored, which is its v7 form.
type Resource struct {
	Name   string
	Fields []Field
	Keys   [][]string // natural keys of more than one field
	// Fact is the fact type that the resource stands for, such as
	// "device__installs__image" for image_install. Queries can use it as the
	// name of the resource and its parts as names of navigations.
	Fact string
	// V6Fact is the fact type in v6, if it differs.
	V6Fact string
	// Inverse is the verb of the fact type seen from its object: an image is
	// part of a release, and the release "contains__image".
	Inverse string
	// Hidden resources can be navigated to but not requested.
	Hidden bool
	// NotInV6 and V6Only limit the resource to one version.
	NotInV6, V6Only bool
}

// Field is a column of a resource.
type Field struct {
	Name   string
	Type   Type
	Unique bool   // a natural key on its own
	To     string // the resource that a Ref refers to

	// Required references make a row part of the referenced row, with which it
	// is deleted.
	Required bool

	// Alias is a second name of the reference in navigations.
	Alias string
	// Reverse is the navigation from the referenced resource to this one. It
	// may hold several names, separated by spaces. It is empty for the
	// references of a Fact, which has names of its own.
	Reverse string
	// V6Reverse is Reverse in v6, if it differs.
	V6Reverse string

	// Computed fields are derived from others.
	Computed bool
	// V6 is the name in v6. Empty means the same name, "-" means none.
	V6 string
	// V6Type overrides the type in v6, if V6Typed.
	V6Type  Type
	V6Typed bool
	// V6Only fields do not exist in v7.
	V6Only bool
}

// Model is one version of the API.
type Model struct {
	Version   Version
	terms     terms
	resources map[string]*View
}

// View is a resource in one version of the API.
type View struct {
	Resource *Resource
	Fields   []ViewField
	terms    terms
	byName   map[string]ViewField
	navs     map[string]Nav
}

// ViewField is a field in one version of the API.
type ViewField struct {
	Name  string
	Type  Type
	Field *Field
	// Fact reports that the name is that of a fact type. The server accepts
	// such a field in filters but fails to write it into a response.
	Fact bool
}

// Nav leads from a row to the rows of another resource.
type Nav struct {
	Target *View
	// Field is the reference that is followed, and Owner its resource: the one
	// that the navigation starts from if Forward, the target otherwise.
	Field   *Field
	Owner   *Resource
	Forward bool
}

// Models returns the models of all versions.
func Models() map[Version]*Model {
	out := map[Version]*Model{}
	for _, v := range Versions {
		out[v] = newModel(v)
	}
	return out
}

// Resources returns the stored resources.
func Resources() []*Resource {
	out := make([]*Resource, len(resources))
	for i := range resources {
		out[i] = &resources[i]
	}
	return out
}

// Lookup returns a stored resource by name, nil if there is none.
func Lookup(name string) *Resource {
	i := slices.IndexFunc(resources, func(r Resource) bool { return r.Name == name })
	if i < 0 {
		return nil
	}
	return &resources[i]
}

// Index returns the index of a field, -1 if there is none.
func (r *Resource) Index(name string) int {
	for i := range r.Fields {
		if r.Fields[i].Name == name {
			return i
		}
	}
	return -1
}

func newModel(v Version) *Model {
	m := &Model{Version: v, terms: newTerms(v), resources: map[string]*View{}}
	views := map[string]*View{}
	for i := range resources {
		if r := &resources[i]; r.in(v) {
			views[r.Name] = m.newView(r)
		}
	}
	for _, view := range views {
		for _, f := range slices.Clone(view.Fields) {
			if f.Type == Ref || f.Field.To != "" {
				view.navigate(f, views[f.Field.To], v)
			}
		}
		if !view.Resource.Hidden {
			m.resources[m.terms.canonical(view.Resource.Name)] = view
		}
	}
	if v == V6 {
		// v6 had a resource of its own for the fleets of the caller.
		m.resources["my_application"] = views["application"]
	}
	return m
}

func (r *Resource) in(v Version) bool {
	return !(v == V6 && r.NotInV6) && !(v != V6 && r.V6Only)
}

func (m *Model) newView(r *Resource) *View {
	view := &View{Resource: r, terms: m.terms, byName: map[string]ViewField{}, navs: map[string]Nav{}}
	for i := range r.Fields {
		f := &r.Fields[i]
		vf := ViewField{Name: f.Name, Type: f.Type, Field: f}
		switch {
		case m.Version != V6 && f.V6Only, m.Version == V6 && f.V6 == "-":
			continue
		case m.Version == V6:
			if f.V6 != "" {
				vf.Name = f.V6
			}
			if f.V6Typed {
				vf.Type = f.V6Type
			}
		}
		view.byName[vf.Name] = vf
		view.Fields = append(view.Fields, vf)
	}
	for _, f := range view.Fields {
		for _, name := range factNames(r.Name, f) {
			if name = m.terms.canonical(name); name != m.terms.canonical(r.Name) {
				view.byName[name] = ViewField{Name: name, Type: f.Type, Field: f.Field, Fact: true}
			}
		}
	}
	return view
}

// navigate adds the navigations of a reference in both directions. The target is
// nil for references to actors, which are not a resource.
func (v *View) navigate(f ViewField, target *View, version Version) {
	forward := Nav{Target: target, Field: f.Field, Owner: v.Resource, Forward: true}
	verb, object, isFact := v.Resource.fact(version)
	for _, name := range []string{f.Name, f.Field.Alias} {
		if name != "" {
			v.navs[v.terms.canonical(name)] = forward
		}
	}
	if !isFact && !strings.Contains(f.Name, "__") {
		v.navs[v.terms.canonical("has__"+f.Name)] = forward
	}
	if target == nil {
		return
	}
	reverse := f.Field.Reverse
	if version == V6 && f.Field.V6Reverse != "" {
		reverse = f.Field.V6Reverse
	}
	names := strings.Fields(reverse)
	full := v.Resource.Name
	switch {
	case !isFact:
	case v.Resource.Hidden && f.Name == v.Resource.subject():
		names = append(names, verb+"__"+object)
	case v.Resource.Hidden:
		names = append(names, v.Resource.Inverse)
	case f.Name == v.Resource.subject():
		names = append(names, full, "has__"+full, verb+"__"+object)
		if v.Resource.Inverse != "" {
			v.navs[v.terms.canonical(v.Resource.Inverse)] = forward
		}
	case f.Name == verb+"__"+object:
		names = append(names, full, "has__"+full)
		if v.Resource.Inverse != "" {
			names = append(names, v.Resource.Inverse)
		}
	}
	for _, name := range names {
		nav := Nav{Target: v, Field: f.Field, Owner: v.Resource}
		target.navs[v.terms.canonical(name)] = nav
		if bare, ok := strings.CutPrefix(name, "has__"); ok && !isFact {
			target.navs[v.terms.canonical(bare)] = nav
		}
	}
}

// Resource returns a resource by name, nil if the version has none.
func (m *Model) Resource(name string) *View { return m.resources[m.terms.canonical(name)] }

// Views returns the resources that can be requested, sorted by name.
func (m *Model) Views() []*View {
	out := slices.Collect(maps.Values(m.resources))
	slices.SortFunc(out, func(a, b *View) int { return strings.Compare(a.Resource.Name, b.Resource.Name) })
	return out
}

// NavNames returns the names of the navigations, in which fact types replace
// terms.
func (v *View) NavNames() []string { return slices.Sorted(maps.Keys(v.navs)) }

// Field returns a field by name.
func (v *View) Field(name string) (ViewField, bool) {
	if f, ok := v.byName[name]; ok {
		return f, true
	}
	f, ok := v.byName[v.terms.canonical(name)]
	f.Name = name
	return f, ok
}

// Nav returns a navigation by name.
func (v *View) Nav(name string) (Nav, bool) {
	n, ok := v.navs[v.terms.canonical(name)]
	return n, ok
}

// IsKey reports whether the fields form a natural key of the resource.
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
