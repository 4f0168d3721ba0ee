// Package dashboards describes the Grafana dashboards of observability/dashboards in Go: of Grafana's classic JSON just what they use.
package dashboards

// Dashboard is a dashboard in Grafana's classic JSON.
type Dashboard struct {
	UID           string     `json:"uid"`
	Title         string     `json:"title"`
	Description   string     `json:"description"`
	Tags          []string   `json:"tags"`
	Editable      bool       `json:"editable"`
	GraphTooltip  int        `json:"graphTooltip"` // 1: the crosshair is shared
	Refresh       string     `json:"refresh"`
	SchemaVersion int        `json:"schemaVersion"`
	Time          TimeRange  `json:"time"`
	Timezone      string     `json:"timezone"`
	Links         []Link     `json:"links"`
	Templating    Templating `json:"templating"`
	Panels        []Panel    `json:"panels"`
}

// TimeRange is what is shown.
type TimeRange struct {
	From string `json:"from"`
	To   string `json:"to"`
}

// Link leads to other dashboards.
type Link struct {
	Title       string   `json:"title"`
	Type        string   `json:"type"`
	Tags        []string `json:"tags"`
	URL         string   `json:"url"`
	Icon        string   `json:"icon"`
	Tooltip     string   `json:"tooltip"`
	AsDropdown  bool     `json:"asDropdown"`
	IncludeVars bool     `json:"includeVars"`
	KeepTime    bool     `json:"keepTime"`
	TargetBlank bool     `json:"targetBlank"`
}

// Templating holds the variables.
type Templating struct {
	List []Variable `json:"list"`
}

// Variable is a choice at the top of a dashboard.
type Variable struct {
	Name        string      `json:"name"`
	Label       string      `json:"label"`
	Description string      `json:"description,omitempty"`
	Type        string      `json:"type"`
	Query       any         `json:"query"`
	Regex       string      `json:"regex,omitempty"` // what to keep of each value
	Datasource  *DataSource `json:"datasource,omitempty"`
	Multi       bool        `json:"multi"`
	IncludeAll  bool        `json:"includeAll"`
	AllValue    string      `json:"allValue,omitempty"`
	Refresh     int         `json:"refresh"` // 1: on load, 2: on change of the time range
	Sort        int         `json:"sort"`
	Hide        int         `json:"hide"`
	SkipURLSync bool        `json:"skipUrlSync"`
	Current     *Current    `json:"current,omitempty"`
}

// Current is the choice in the beginning.
type Current struct {
	Selected bool `json:"selected"`
	Text     any  `json:"text"`
	Value    any  `json:"value"`
}

// DataSource refers to a data source.
type DataSource struct {
	Type string `json:"type"`
	UID  string `json:"uid"`
}

// Panel is a picture of queries.
type Panel struct {
	ID              int              `json:"id"`
	Type            string           `json:"type"`
	Title           string           `json:"title"`
	Description     string           `json:"description,omitempty"`
	GridPos         GridPos          `json:"gridPos"`
	Datasource      DataSource       `json:"datasource"`
	Targets         []Target         `json:"targets"`
	FieldConfig     FieldConfig      `json:"fieldConfig"`
	Options         map[string]any   `json:"options"`
	Transformations []Transformation `json:"transformations,omitempty"`

	// MayBeEmpty is why there may be nothing to show, if that is so.
	MayBeEmpty string `json:"-"`
}

// GridPos is where a panel is, in a grid of 24 columns.
type GridPos struct {
	X int `json:"x"`
	Y int `json:"y"`
	W int `json:"w"`
	H int `json:"h"`
}

// Target is a query.
type Target struct {
	RefID        string     `json:"refId"`
	Datasource   DataSource `json:"datasource"`
	Expr         string     `json:"expr"`
	LegendFormat string     `json:"legendFormat"`
	Instant      bool       `json:"instant"`
	Range        bool       `json:"range"`
	Format       string     `json:"format"`
}

// FieldConfig says how values look.
type FieldConfig struct {
	Defaults  Field      `json:"defaults"`
	Overrides []Override `json:"overrides"`
}

// Field is how a value looks.
type Field struct {
	Unit       string         `json:"unit,omitempty"`
	Decimals   *int           `json:"decimals,omitempty"`
	Min        *float64       `json:"min,omitempty"`
	Max        *float64       `json:"max,omitempty"`
	NoValue    string         `json:"noValue,omitempty"`
	Color      *Color         `json:"color,omitempty"`
	Thresholds *Thresholds    `json:"thresholds,omitempty"`
	Mappings   []Mapping      `json:"mappings,omitempty"`
	Custom     map[string]any `json:"custom,omitempty"`
}

// Color is how a color is chosen.
type Color struct {
	Mode       string `json:"mode"`
	FixedColor string `json:"fixedColor,omitempty"`
}

// Thresholds are colors by value.
type Thresholds struct {
	Mode  string `json:"mode"`
	Steps []Step `json:"steps"`
}

// Step is a color from a value on. The first has none.
type Step struct {
	Value *float64 `json:"value"`
	Color string   `json:"color"`
}

// Mapping shows words instead of values.
type Mapping struct {
	Type    string            `json:"type"`
	Options map[string]Mapped `json:"options"`
}

// Mapped is what is shown instead of a value.
type Mapped struct {
	Text  string `json:"text"`
	Color string `json:"color"`
	Index int    `json:"index"`
}

// Override changes how the values of one field look.
type Override struct {
	Matcher    Matcher    `json:"matcher"`
	Properties []Property `json:"properties"`
}

// Matcher chooses fields.
type Matcher struct {
	ID      string `json:"id"`
	Options string `json:"options"`
}

// Property is a part of a field's configuration.
type Property struct {
	ID    string `json:"id"`
	Value any    `json:"value"`
}

// Transformation changes what queries returned.
type Transformation struct {
	ID      string         `json:"id"`
	Options map[string]any `json:"options"`
}

// source is the data source that the variable names.
var source = DataSource{Type: "prometheus", UID: "${datasource}"}

// tag is how the dashboards find each other.
const tag = "balena"

// dashboard creates a dashboard of rows of panels. Panels of a row stand side by side, and say how wide and high they are.
func dashboard(uid, title, description string, variables []Variable, rows ...[]Panel) Dashboard {
	d := Dashboard{
		UID: uid, Title: title, Description: description, Tags: []string{tag}, Editable: true, GraphTooltip: 1, Refresh: "1m",
		SchemaVersion: 41, Time: TimeRange{From: "now-24h", To: "now"}, Timezone: "browser",
		Links: []Link{{
			Title: "balena", Type: "dashboards", Tags: []string{tag}, Icon: "external link", IncludeVars: true, KeepTime: true,
			Tooltip: "The other dashboards, with the same choices",
		}},
	}
	d.Templating.List = append([]Variable{{
		Name: "datasource", Label: "Data source", Type: "datasource", Query: "prometheus", Refresh: 1,
	}}, variables...)
	y := 0
	for _, row := range rows {
		x, height := 0, 0
		for _, panel := range row {
			panel.ID = len(d.Panels) + 1
			panel.GridPos.X, panel.GridPos.Y = x, y
			x += panel.GridPos.W
			height = max(height, panel.GridPos.H)
			d.Panels = append(d.Panels, panel)
		}
		y += height
	}
	return d
}

// choice is a variable whose values are those of a label. All is the beginning.
func choice(name, label, description, query string) Variable {
	return Variable{
		Name: name, Label: label, Description: description, Type: "query", Datasource: &source,
		Query: map[string]any{"query": query, "refId": "PrometheusVariableQueryEditor-VariableQuery"},
		Multi: true, IncludeAll: true, Refresh: 2, Sort: 1, Current: &Current{Selected: true, Text: []string{"All"}, Value: []string{"$__all"}},
	}
}

// panel is a panel of a type, a title, a size and what it is for.
func panel(kind, title, description string, w, h int) Panel {
	return Panel{
		Type: kind, Title: title, Description: description, GridPos: GridPos{W: w, H: h}, Datasource: source, Options: map[string]any{},
		FieldConfig: FieldConfig{Overrides: []Override{}, Defaults: Field{NoValue: "no data"}},
	}
}

// stat shows the last value of a query, with a curve of those before, in the color of its threshold.
func stat(title, description, expr string, w int) Panel {
	p := panel("stat", title, description, w, 4).query(expr, title)
	p.Options = map[string]any{
		"colorMode": "background", "graphMode": "area", "justifyMode": "auto", "orientation": "auto", "textMode": "auto",
		"percentChangeColorMode": "standard", "showPercentChange": false,
		"reduceOptions": map[string]any{"calcs": []string{"lastNotNull"}, "fields": "", "values": false}, "wideLayout": true,
	}
	p.FieldConfig.Defaults.Color = &Color{Mode: "thresholds"}
	return p
}

// curves shows queries over time.
func curves(title, description string, w, h int) Panel {
	p := panel("timeseries", title, description, w, h)
	p.Options = map[string]any{
		"legend":  map[string]any{"displayMode": "list", "placement": "bottom", "showLegend": true, "calcs": []string{}},
		"tooltip": map[string]any{"mode": "multi", "sort": "desc"},
	}
	p.FieldConfig.Defaults.Color = &Color{Mode: "palette-classic"}
	p.FieldConfig.Defaults.Custom = map[string]any{
		"drawStyle": "line", "lineWidth": 2, "fillOpacity": 8, "showPoints": "never", "lineInterpolation": "linear", "spanNulls": false,
		"gradientMode": "none", "axisPlacement": "auto", "stacking": map[string]any{"mode": "none", "group": "A"},
	}
	return p
}

// stacked shows queries over time, one on top of the other.
func stacked(title, description string, w, h int) Panel {
	p := curves(title, description, w, h)
	custom := p.FieldConfig.Defaults.Custom
	custom["fillOpacity"], custom["lineWidth"] = 60, 1
	custom["stacking"] = map[string]any{"mode": "normal", "group": "A"}
	return p.min(0)
}

// bars shows a bar for each result of a query.
func bars(title, description, expr, legend string, w, h int) Panel {
	p := panel("bargauge", title, description, w, h).query(expr, legend)
	p.Targets[0].Instant, p.Targets[0].Range = true, false
	p.Options = map[string]any{
		"displayMode": "basic", "orientation": "horizontal", "showUnfilled": true, "valueMode": "color", "namePlacement": "top", "sizing": "auto",
		"legend":       map[string]any{"displayMode": "list", "placement": "bottom", "showLegend": false, "calcs": []string{}},
		"minVizHeight": 16, "minVizWidth": 8, "maxVizHeight": 300,
		"reduceOptions": map[string]any{"calcs": []string{"lastNotNull"}, "fields": "", "values": false},
	}
	p.FieldConfig.Defaults.Color = &Color{Mode: "thresholds"}
	return p
}

// column is a label, or "Value", under a name.
type column struct{ label, name string }

// table shows the result of a query as rows of the columns.
func table(title, description, expr string, w, h int, columns ...column) Panel {
	p := panel("table", title, description, w, h).query(expr, "")
	p.Targets[0].Instant, p.Targets[0].Range, p.Targets[0].Format = true, false, "table"
	names, order, include := map[string]any{}, map[string]any{}, map[string]any{}
	for i, c := range columns {
		names[c.label], order[c.label], include[c.label] = c.name, i, true
	}
	p.Transformations = []Transformation{{ID: "organize", Options: map[string]any{
		"renameByName": names, "indexByName": order, "includeByName": include, "excludeByName": map[string]any{},
	}}}
	p.Options = map[string]any{"showHeader": true, "cellHeight": "sm", "frameIndex": 0}
	p.FieldConfig.Defaults.Custom = map[string]any{"align": "auto", "filterable": true}
	return p
}

// query adds a query.
func (p Panel) query(expr, legend string) Panel {
	p.Targets = append(p.Targets, Target{
		RefID: string(rune('A' + len(p.Targets))), Datasource: source, Expr: expr, LegendFormat: legend, Range: true, Format: "time_series",
	})
	return p
}

func (p Panel) unit(unit string) Panel { p.FieldConfig.Defaults.Unit = unit; return p }
func (p Panel) decimals(n int) Panel   { p.FieldConfig.Defaults.Decimals = &n; return p }
func (p Panel) min(v float64) Panel    { p.FieldConfig.Defaults.Min = &v; return p }
func (p Panel) max(v float64) Panel    { p.FieldConfig.Defaults.Max = &v; return p }

// share is for values from 0 to 1.
func (p Panel) share() Panel { return p.unit("percentunit").min(0).max(1) }

// empty says what is shown, and why, where there is nothing to show.
func (p Panel) empty(text, why string) Panel {
	p.FieldConfig.Defaults.NoValue, p.MayBeEmpty = text, why
	return p
}

// at is a color from a value on.
func at(value float64, color string) Step { return Step{Value: &value, Color: color} }

// from colors values: with a color, and others from higher values on.
func (p Panel) from(color string, steps ...Step) Panel {
	p.FieldConfig.Defaults.Thresholds = &Thresholds{Mode: "absolute", Steps: append([]Step{{Color: color}}, steps...)}
	return p
}

// words shows words instead of 0 and 1.
func (p Panel) words(zero, zeroColor, one, oneColor string) Panel {
	p.FieldConfig.Defaults.Mappings = []Mapping{{Type: "value", Options: map[string]Mapped{
		"0": {Text: zero, Color: zeroColor, Index: 0}, "1": {Text: one, Color: oneColor, Index: 1},
	}}}
	return p
}

// column changes how the column of a name looks.
func (p Panel) column(name string, properties ...Property) Panel {
	p.FieldConfig.Overrides = append(p.FieldConfig.Overrides, Override{Matcher: Matcher{ID: "byName", Options: name}, Properties: properties})
	return p
}

// colors gives series of these names their color.
func (p Panel) colors(pairs ...[2]string) Panel {
	for _, pair := range pairs {
		p = p.column(pair[0], Property{ID: "color", Value: Color{Mode: "fixed", FixedColor: pair[1]}})
	}
	return p
}
