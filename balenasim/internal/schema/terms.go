package schema

import "strings"

// The server's model consists of fact types, such as "device installs image".
// Some have a term, "image install". Queries can use either, also as part of
// longer names, because the server replaces terms with their fact types.

// terms maps terms to their fact types.
type terms map[string]string

func newTerms(v Version) terms {
	t := terms{}
	for i := range resources {
		r := &resources[i]
		if verb, object, ok := r.fact(v); ok && r.in(v) {
			t[r.Name] = r.subject() + "__" + verb + "__" + object
		}
	}
	// A fact type can contain a term itself: "service install has name".
	for again := true; again; {
		again = false
		for term, fact := range t {
			if expanded := t.canonical(fact); expanded != fact {
				t[term], again = expanded, true
			}
		}
	}
	return t
}

// canonical replaces the terms in a name with their fact types.
func (t terms) canonical(name string) string {
	parts := strings.Split(name, "__")
	for i, part := range parts {
		if fact, ok := t[part]; ok {
			parts[i] = fact
		}
	}
	return strings.Join(parts, "__")
}

// fact returns verb and object of the fact type of a resource, if it has one.
func (r *Resource) fact(v Version) (verb, object string, ok bool) {
	fact := r.Fact
	if v == V6 && r.V6Fact != "" {
		fact = r.V6Fact
	}
	parts := strings.SplitN(fact, "__", 3)
	if len(parts) < 3 {
		return "", "", false
	}
	return parts[1], parts[2], true
}

// subject returns the subject of the fact type, which is also the name of the
// reference to it.
func (r *Resource) subject() string {
	subject, _, _ := strings.Cut(r.Fact, "__")
	return subject
}

// factNames returns the names of a field as a fact type.
func factNames(resource string, f ViewField) []string {
	switch {
	case f.Field.Type == Ref, f.Type == Bool, f.Name == "id", f.Name == "created_at", f.Name == "modified_at":
		return nil
	case strings.Contains(f.Name, "__"):
		return []string{resource + "__" + f.Name}
	}
	return []string{"has__" + f.Name, resource + "__has__" + f.Name}
}
