package balenasim

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"

	"github.com/otelcol-balena/balenareceiver/balenasim/internal/schema"
)

// queryGen writes random read queries that follow the grammar of the server's
// parser and mostly use names of the schema, so that they reach deep into the
// compiler. Random bytes hardly ever do.
type queryGen struct {
	*rand.Rand
	models map[schema.Version]*schema.Model
	depth  int
}

// target is a query on a random resource.
func (g *queryGen) target() string {
	version := schema.V7
	if g.IntN(5) == 0 {
		version = schema.V6
	}
	g.depth = 0
	views := g.models[version].Views()
	view := views[g.IntN(len(views))]
	if g.IntN(2) == 0 {
		// Most queries are on resources with rows of interest.
		popular := []string{"device", "application", "release", "image_install", "service_install", "device_tag", "image", "service"}
		view = g.models[version].Resource(popular[g.IntN(len(popular))])
	}
	path := "/" + version.String() + "/" + view.Resource.Name
	if g.IntN(6) == 0 {
		path += fmt.Sprintf("(%d)", 1+g.IntN(20))
		for range g.IntN(3) {
			if nav, target, ok := g.nav(view); ok && target != nil {
				path += "/" + nav
				view = target
			}
		}
		if g.IntN(12) == 0 {
			path += "/$links/" + g.fieldName(view)
		}
	}
	count := g.IntN(8) == 0
	if count {
		path += "/$count"
	}
	options := g.options(view, false)
	if g.IntN(20) > 0 {
		options = append(options, "@p="+g.pick("1", "'main'", "true"))
	}
	if len(options) == 0 {
		return path
	}
	return strings.ReplaceAll(path+"?"+strings.Join(options, "&"), " ", "%20")
}

// options are query options, of an expanded navigation if nested.
func (g *queryGen) options(view *schema.View, nested bool) []string {
	var out []string
	if g.IntN(10) > 0 {
		fields := []string{"id"}
		for range g.IntN(3) {
			fields = append(fields, g.fieldName(view))
		}
		out = append(out, "$select="+strings.Join(fields, ","))
	}
	if g.IntN(4) > 0 {
		out = append(out, "$filter="+g.condition(view, nil))
	}
	if g.depth < 2 && g.IntN(3) == 0 {
		g.depth++
		var expands []string
		for range 1 + g.IntN(2) {
			nav, target, ok := g.nav(view)
			if !ok || target == nil {
				continue
			}
			if g.IntN(4) == 0 {
				nav += "/$count"
			}
			if inner := g.options(target, true); len(inner) > 0 {
				nav += "(" + strings.Join(inner, ";") + ")"
			}
			expands = append(expands, nav)
		}
		g.depth--
		if len(expands) > 0 {
			out = append(out, "$expand="+strings.Join(expands, ","))
		}
	}
	if g.IntN(3) == 0 {
		out = append(out, "$orderby="+g.path(view, nil)+g.pick("", " asc", " desc")+",id asc")
		if g.IntN(2) == 0 {
			out = append(out, "$top="+strconv.Itoa(g.IntN(6)), "$skip="+strconv.Itoa(g.IntN(3)))
		}
	}
	if nested && g.IntN(20) == 0 {
		out = append(out, "$top=99999999999999999999")
	}
	return out
}

func (g *queryGen) pick(options ...string) string { return options[g.IntN(len(options))] }

// nav is a random navigation and the view that it leads to.
func (g *queryGen) nav(view *schema.View) (string, *schema.View, bool) {
	names := view.NavNames()
	if len(names) == 0 {
		return "", nil, false
	}
	name := names[g.IntN(len(names))]
	nav, _ := view.Nav(name)
	return name, nav.Target, true
}

func (g *queryGen) fieldName(view *schema.View) string {
	if g.IntN(60) == 0 {
		return "no_such_field"
	}
	return view.Fields[g.IntN(len(view.Fields))].Name
}

// path is a field, here or behind navigations.
func (g *queryGen) path(view *schema.View, vars map[string]*schema.View) string {
	prefix := ""
	if len(vars) > 0 && g.IntN(4) > 0 {
		names := slices.Sorted(maps.Keys(vars))
		name := names[g.IntN(len(names))]
		prefix, view = name+"/", vars[name]
	}
	if g.IntN(5) == 0 {
		if nav, target, ok := g.nav(view); ok && target != nil {
			if g.IntN(3) == 0 {
				return prefix + nav + "/$count"
			}
			prefix, view = prefix+nav+"/", target
		}
	}
	return prefix + g.fieldName(view)
}

func (g *queryGen) condition(view *schema.View, vars map[string]*schema.View) string {
	g.depth++
	defer func() { g.depth-- }()
	if g.depth > 4 {
		return g.path(view, vars) + " " + g.pick("eq", "ne") + " " + g.literal()
	}
	switch g.IntN(12) {
	case 0, 1:
		return "(" + g.condition(view, vars) + g.pick(" and ", " or ") + g.condition(view, vars) + ")"
	case 2:
		return g.condition(view, vars) + g.pick(" and ", " or ") + g.condition(view, vars)
	case 3:
		return g.pick("not(", "not (") + g.condition(view, vars) + ")"
	case 4:
		return "not " + g.comparison(view, vars)
	case 5:
		members := []string{g.literal()}
		for range g.IntN(3) {
			members = append(members, g.literal())
		}
		return g.path(view, vars) + " in (" + strings.Join(members, ",") + ")"
	case 6, 7:
		nav, target, ok := g.nav(view)
		if !ok || target == nil {
			break
		}
		name := fmt.Sprintf("x%d", g.depth)
		inner := map[string]*schema.View{name: target}
		for k, v := range vars {
			inner[k] = v
		}
		return nav + g.pick("/any(", "/all(") + name + ":" + g.condition(target, inner) + ")"
	case 8:
		return g.pick("contains", "startswith", "endswith") + "(" + g.operand(view, vars) + "," + g.operand(view, vars) + ")"
	case 9:
		nav, target, ok := g.nav(view)
		if !ok || target == nil {
			break
		}
		return nav + "/$count($filter=" + g.condition(target, nil) + ") " + g.pick("gt", "eq", "le") + " " + strconv.Itoa(g.IntN(4))
	}
	return g.comparison(view, vars)
}

// comparison compares anything with anything or, more often, a field with what
// has its type.
func (g *queryGen) comparison(view *schema.View, vars map[string]*schema.View) string {
	op := " " + g.pick("eq", "ne", "gt", "ge", "lt", "le") + " "
	if g.IntN(4) == 0 {
		return g.operand(view, vars) + op + g.operand(view, vars)
	}
	prefix := ""
	if len(vars) > 0 && g.IntN(4) > 0 {
		names := slices.Sorted(maps.Keys(vars))
		name := names[g.IntN(len(names))]
		prefix, view = name+"/", vars[name]
	}
	if nav, target, ok := g.nav(view); ok && target != nil && g.IntN(5) == 0 {
		prefix, view = prefix+nav+"/", target
	}
	f := view.Fields[g.IntN(len(view.Fields))]
	name := prefix + f.Name
	switch f.Type {
	case schema.Bool:
		return name + g.pick("", op+g.pick("true", "false", "null", "1", "'true'"))
	case schema.Time:
		return g.pick(
			name+op+g.pick("datetime'2026-11-22T06:22:45.294Z'", "'2026-11-22T06:03:25.000Z'", "date'2026-11-22'", "now()", "null", "created_at"),
			g.pick("year", "month", "day", "hour", "minute", "second")+"("+name+")"+op+g.pick("2026", "11", "22", "6", "3"),
			"("+name+g.pick(" add ", " sub ")+"duration'P1D')"+op+g.pick("now()", "created_at", "datetime'2026-11-22'"),
		)
	case schema.Text:
		return g.pick(
			name+op+g.pick("'main'", "'success'", "'online'", "''", "null", "'a'", "'B'", "'1.2.0'"),
			g.pick("tolower", "toupper", "trim")+"("+name+")"+op+g.pick("'main'", "'SUCCESS'", "''"),
			"length("+name+")"+op+g.pick("4", "0", "10", "32"),
			"indexof("+name+",'a')"+op+g.pick("0", "2", "-1"),
			"substring("+name+",1,3)"+op+g.pick("'ai'", "'ain'"),
			"concat("+name+",'x')"+op+"'mainx'",
			g.pick("contains", "startswith", "endswith")+"("+name+","+g.pick("'a'", "'m'", "'0'", "''", "'_'")+")",
		)
	}
	return g.pick(
		name+op+g.pick("0", "1", "2", "7", "20", "null", "-1", "'3'"),
		"("+name+g.pick(" add ", " sub ", " mul ", " div ")+g.pick("1", "2", "3", "1000", "id", "null")+")"+op+g.pick("0", "5", "1000"),
		g.pick("round", "floor", "ceiling")+"("+name+")"+op+g.pick("1", "2.5", "20"),
		name+g.pick(" add ", " sub ", " mul ", " div ")+g.pick("1", "2")+op+g.pick("3", "id"),
	)
}

func (g *queryGen) operand(view *schema.View, vars map[string]*schema.View) string {
	g.depth++
	defer func() { g.depth-- }()
	if g.depth > 5 {
		return g.path(view, vars)
	}
	sub := func() string { return g.operand(view, vars) }
	switch g.IntN(14) {
	case 0, 1, 2, 3, 4, 5:
		return g.path(view, vars)
	case 6, 7, 8, 9:
		return g.literal()
	case 10:
		return "(" + sub() + g.pick(" add ", " sub ", " mul ", " div ") + sub() + ")"
	case 11:
		return sub() + g.pick(" add ", " sub ", " mul ", " div ", " mod ") + sub()
	case 12:
		return g.pick("tolower", "toupper", "trim", "length", "year", "month", "day", "hour", "minute", "second", "date", "time",
			"round", "floor", "ceiling", "fractionalseconds", "totalseconds", "isof", "cast") + "(" + sub() + ")"
	}
	return g.pick("now()", "maxdatetime()", "concat("+sub()+","+sub()+")", "indexof("+sub()+","+sub()+")",
		"substring("+sub()+","+strconv.Itoa(g.IntN(3))+")", "replace("+sub()+",'a',"+sub()+")")
}

var literals = []string{
	"null", "true", "false", "0", "1", "2", "7", "-1", "2.5", "1.0", "2147483647", "99999999999", "''", "'a'", "'1'", "'main'",
	"'2026-11-22T06:03:25.000Z'", "'2026-11-22'", "datetime'2026-11-22T06:22:45.294Z'", "date'2026-11-22'",
	"duration'P1D'", "duration'PT1H30M'", "'true'", "'it''s'", "@p", "'success'", "'online'",
}

func (g *queryGen) literal() string { return literals[g.IntN(len(literals))] }
