package pine_test

import (
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otelcol-balena/balenareceiver/balenaclient/pine"
)

// sent returns the URL's query after the columns, with spaces for the sake of the reader.
func sent(t *testing.T, q func(*pine.Client) pine.Query[ship]) string {
	t.Helper()
	client, w := newClient(t, always(http.StatusOK, `{"d":[]}`))
	_, err := q(client).OrderBy(shipID.Asc()).List(t.Context())
	require.NoError(t, err)
	require.Len(t, w.targets(), 1)
	target := w.targets()[0]
	require.NotContains(t, target, " ")
	query, ok := strings.CutPrefix(target, "/base/v1/ship?$select=id")
	require.True(t, ok, target)
	query, ok = strings.CutSuffix(query, "&$orderby=id%20asc")
	require.True(t, ok, target)
	return strings.ReplaceAll(strings.TrimPrefix(query, "&"), "%20", " ")
}

func TestFilter(t *testing.T) {
	t.Parallel()
	built := time.Date(2026, 11, 22, 7, 3, 5, 823_999_999, time.FixedZone("", 3600))
	for want, filter := range map[string]pine.Filter[ship]{
		"name eq 'Vasa'":               shipName.Eq("Vasa"),
		"name ne 'Vasa'":               shipName.Ne("Vasa"),
		"name eq ''":                   shipName.Eq(""),
		"name gt 'V'":                  shipName.Gt("V"),
		"knots gt 5":                   shipKnots.Gt(5),
		"knots ge -5":                  shipKnots.Ge(-5),
		"knots lt 5":                   shipKnots.Lt(5),
		"knots le 9223372036854775807": shipKnots.Le(1<<63 - 1),
		"is_armed eq true":             shipArmed.Eq(true),
		"is_armed ne false":            shipArmed.Ne(false),
		"built_at le datetime'2026-11-22T06:03:05.823Z'": shipBuilt.Le(built),
		"built_at eq datetime'2026-11-22T06:00:00.000Z'": shipBuilt.Eq(time.Date(2026, 11, 22, 6, 0, 0, 0, time.UTC)),
		"knots eq null":                                          shipKnots.IsNull(),
		"knots ne null":                                          shipKnots.NotNull(),
		"name in ('a','b')":                                      shipName.In("a", "b"),
		"knots in (1)":                                           shipKnots.In(1),
		"1 eq 2":                                                 shipName.In(),
		"contains(name,'as')":                                    shipName.Contains("as"),
		"startswith(name,'V')":                                   shipName.StartsWith("V"),
		"endswith(name,'a')":                                     shipName.EndsWith("a"),
		"lies_in__port eq 7":                                     shipPort.Eq(7),
		"lies_in__port ne 7":                                     shipPort.Ne(7),
		"lies_in__port in (7,8)":                                 shipPort.In(7, 8),
		"lies_in__port eq null":                                  shipPort.IsNull(),
		"lies_in__port ne null":                                  shipPort.NotNull(),
		"lies_in__port/any(x1:1 eq 1)":                           shipPort.Where(),
		"crew/any(x1:1 eq 1)":                                    shipCrew.Any(),
		"crew/all(x1:1 eq 1)":                                    shipCrew.All(),
		"crew/any(x1:x1/name eq 'Jack')":                         shipCrew.Any(sailorName.Eq("Jack")),
		"crew/all(x1:x1/name ne 'Jack')":                         shipCrew.All(sailorName.Ne("Jack")),
		"crew/any(x1:1 eq 2)":                                    shipCrew.Any(sailorName.In()),
		"not(name eq 'Vasa')":                                    pine.Not(shipName.Eq("Vasa")),
		"not(not(name eq 'Vasa'))":                               pine.Not(pine.Not(shipName.Eq("Vasa"))),
		"not((knots gt 5) or (knots eq null))":                   pine.Not(shipKnots.Gt(5).Or(shipKnots.IsNull())),
		"(knots gt 5) and (knots lt 9)":                          shipKnots.Gt(5).And(shipKnots.Lt(9)),
		"(knots eq 1) or (knots eq 2) or (knots eq 3)":           shipKnots.Eq(1).Or(shipKnots.Eq(2), shipKnots.Eq(3)),
		"((knots gt 5) and (knots lt 9)) or (is_armed eq true)":  shipKnots.Gt(5).And(shipKnots.Lt(9)).Or(shipArmed.Eq(true)),
		"(is_armed eq false) and ((knots gt 5) or (knots lt 2))": shipArmed.Eq(false).And(shipKnots.Gt(5).Or(shipKnots.Lt(2))),

		// The zero filter is met by every row.
		"":                            {},
		"name eq 'zero and not zero'": shipName.Eq("zero and not zero").And(pine.Filter[ship]{}),
		"name eq 'not zero and zero'": pine.Filter[ship]{}.And(shipName.Eq("not zero and zero")),
		"not(1 eq 2)":                 pine.Not(pine.Not(pine.Filter[ship]{})),

		// Each lambda has a variable of its own, which prefixes the columns in it.
		"lies_in__port/any(x1:(x1/name eq 'Kiel') and (x1/ship/any(x2:(x2/knots gt 3) and (x2/crew/all(x3:startswith(x3/name,'J'))))))": shipPort.Where(
			portName.Eq("Kiel"), portShips.Any(shipKnots.Gt(3), shipCrew.All(sailorName.StartsWith("J"))),
		),
		"(crew/any(x1:x1/name in ('a'))) and (crew/any(x1:not(x1/sails__ship eq null)))": shipCrew.Any(sailorName.In("a")).And(shipCrew.Any(pine.Not(sailorShip.IsNull()))),
	} {
		t.Run(want, func(t *testing.T) {
			t.Parallel()
			got := sent(t, func(c *pine.Client) pine.Query[ship] { return ships(c).Select(shipID).Where(filter) })
			if want != "" {
				want = "$filter=" + want
			}
			assert.Equal(t, want, got)
		})
	}
}

func TestFilter_Or_ZeroFilter(t *testing.T) {
	t.Parallel()
	for name, filter := range map[string]pine.Filter[ship]{
		"in front": pine.Filter[ship]{}.Or(shipKnots.Eq(1)),
		"behind":   shipKnots.Eq(1).Or(pine.Filter[ship]{}),
		"alone":    pine.Filter[ship]{}.Or(),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			assert.Empty(t, sent(t, func(c *pine.Client) pine.Query[ship] { return ships(c).Select(shipID).Where(filter) }))
		})
	}
}

func TestQuery_Expand(t *testing.T) {
	t.Parallel()
	for want, expansion := range map[string]pine.Expansion[ship]{
		"lies_in__port($select=id,name)":                        shipPort.With(pine.Select[port]()),
		"lies_in__port($select=id)":                             shipPort.With(pine.Select[port](portID)),
		"crew($select=id,name,sails__ship)":                     shipCrew.With(pine.Query[sailor]{}),
		"crew($select=id,name;$filter=name eq 'J')":             shipCrew.With(pine.Select[sailor](sailorName).Where(sailorName.Eq("J"))),
		"crew($select=id,name,sails__ship;$filter=name eq 'J')": shipCrew.With(pine.Where(sailorName.Eq("J"))),
		"crew($select=id,name;$orderby=name desc,id asc;$top=3)": shipCrew.With(pine.Select[sailor](sailorName).
			OrderBy(sailorName.Desc(), sailorID.Asc()).Top(3)),
		"crew/$count":                      shipCrew.Count(),
		"crew/$count($filter=name eq 'J')": shipCrew.Count(sailorName.Eq("J")),
		"crew/$count($filter=(name gt 'J') and (name lt 'K'))": shipCrew.Count(sailorName.Gt("J"), sailorName.Lt("K")),
		"crew($select=id;$expand=sails__ship($select=id,name;$expand=crew/$count($filter=name eq 'J'),lies_in__port($select=id,name)))": shipCrew.With(
			pine.Select[sailor](sailorID).Expand(sailorShip.With(
				pine.Select[ship](shipName).Expand(shipCrew.Count(sailorName.Eq("J")), shipPort.With(pine.Select[port](portName))),
			)),
		),
	} {
		t.Run(want, func(t *testing.T) {
			t.Parallel()
			got := sent(t, func(c *pine.Client) pine.Query[ship] { return ships(c).Select(shipID).Expand(expansion) })
			assert.Equal(t, "$expand="+want, got)
		})
	}
}

const (
	portID   pine.Field[port, int64]   = "id"
	sailorID pine.Field[sailor, int64] = "id"
)

func TestQuery_Select(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name  string
		query func(pine.Query[ship]) pine.Query[ship]
		want  string
	}{
		{
			"by default those of the row type that are neither optional nor expanded only",
			func(q pine.Query[ship]) pine.Query[ship] { return q },
			"id,name,is_armed,knots,built_at,lies_in__port",
		},
		{
			"with the id first, also when it is not selected",
			func(q pine.Query[ship]) pine.Query[ship] { return q.Select(shipName, shipLog) },
			"id,name,log",
		},
		{
			"once, however often they are selected",
			func(q pine.Query[ship]) pine.Query[ship] {
				return q.Select(shipName, shipID).Select(shipName, shipPort, shipPort)
			},
			"id,name,lies_in__port",
		},
		{
			"unless an expansion brings them under the same name",
			func(q pine.Query[ship]) pine.Query[ship] {
				return q.Select(shipName, shipPort).Expand(shipPort.With(pine.Select[port](portName)))
			},
			"id,name&$expand=lies_in__port($select=id,name)",
		},
		{
			"by default unless an expansion brings them",
			func(q pine.Query[ship]) pine.Query[ship] { return q.Expand(shipPort.With(pine.Select[port](portName))) },
			"id,name,is_armed,knots,built_at&$expand=lies_in__port($select=id,name)",
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			client, w := newClient(t, always(http.StatusOK, `{"d":[]}`))
			_, err := tt.query(ships(client)).List(t.Context())
			require.NoError(t, err)
			assert.Equal(t, []string{"/base/v1/ship?$select=" + tt.want + "&$orderby=id%20asc&$top=1000"}, w.targets())
		})
	}
}

func TestQuery_Where(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name string
		run  func(*testing.T, pine.Query[ship])
		want string
	}{
		{"a page by ascending id", func(t *testing.T, q pine.Query[ship]) {
			_, err := q.PageSize(5).List(t.Context())
			require.NoError(t, err)
		}, "ship?$select=id&$orderby=id%20asc&$top=5"},
		{"a page no larger than the top", func(t *testing.T, q pine.Query[ship]) {
			_, err := q.PageSize(5).Top(3).List(t.Context())
			require.NoError(t, err)
		}, "ship?$select=id&$orderby=id%20asc&$top=3"},
		{"all options in the server's order", func(t *testing.T, q pine.Query[ship]) {
			_, err := q.Where(shipKnots.Gt(1)).Where(shipArmed.Eq(true)).Expand(shipCrew.Count()).
				OrderBy(shipName.Desc(), shipID.Asc()).Top(7).List(t.Context())
			require.NoError(t, err)
		}, "ship?$select=id&$expand=crew/$count&$filter=(knots%20gt%201)%20and%20(is_armed%20eq%20true)&$orderby=name%20desc,id%20asc&$top=7"},
		{"the first", func(t *testing.T, q pine.Query[ship]) {
			_, err := q.First(t.Context())
			require.ErrorIs(t, err, pine.ErrNotFound)
		}, "ship?$select=id&$orderby=id%20asc&$top=1"},
		{"the first in an order", func(t *testing.T, q pine.Query[ship]) {
			_, err := q.OrderBy(shipName.Asc()).First(t.Context())
			require.ErrorIs(t, err, pine.ErrNotFound)
		}, "ship?$select=id&$orderby=name%20asc&$top=1"},
		{"the only one, and whether there is another", func(t *testing.T, q pine.Query[ship]) {
			_, err := q.One(t.Context())
			require.ErrorIs(t, err, pine.ErrNotFound)
		}, "ship?$select=id&$orderby=id%20asc&$top=2"},
		{"one by its id", func(t *testing.T, q pine.Query[ship]) {
			_, err := q.Get(t.Context(), 42)
			require.ErrorIs(t, err, pine.ErrNotFound)
		}, "ship(42)?$select=id"},
		{"one by its id that meets a filter", func(t *testing.T, q pine.Query[ship]) {
			_, err := q.Where(shipArmed.Eq(true)).Expand(shipCrew.Count()).Top(9).OrderBy(shipName.Asc()).Get(t.Context(), 42)
			require.ErrorIs(t, err, pine.ErrNotFound)
		}, "ship(42)?$select=id&$expand=crew/$count&$filter=is_armed%20eq%20true"},
		{"one by a natural key", func(t *testing.T, q pine.Query[ship]) {
			_, err := q.GetBy(t.Context(), shipName.Key("a/b'c"))
			require.ErrorIs(t, err, pine.ErrNotFound)
		}, "ship(name='a%2Fb%27%27c')?$select=id"},
		{"one by a composite key", func(t *testing.T, q pine.Query[ship]) {
			_, err := q.GetBy(t.Context(), shipPort.Key(3).And(shipName.Key("Vasa")).And(shipArmed.Key(true)))
			require.ErrorIs(t, err, pine.ErrNotFound)
		}, "ship(lies_in__port=3,name='Vasa',is_armed=true)?$select=id"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			client, w := newClient(t, always(http.StatusOK, `{"d":[]}`))
			tt.run(t, ships(client).Select(shipID))
			assert.Equal(t, []string{"/base/v1/" + tt.want}, w.targets())
			assert.Equal(t, http.MethodGet, w.last().Method)
			assert.Equal(t, "api.example.com", w.last().URL.Host)
		})
	}
}

func TestQuery_Count(t *testing.T) {
	t.Parallel()
	client, w := newClient(t, always(http.StatusOK, `{"d":5}`))
	n, err := ships(client).Count(t.Context())
	require.NoError(t, err)
	assert.Equal(t, 5, n)
	n, err = ships(client).Select(shipName).OrderBy(shipName.Asc()).Top(2).Where(shipPort.Where(portName.Eq("Lübeck"))).Count(t.Context())
	require.NoError(t, err)
	assert.Equal(t, 5, n)
	assert.Equal(t, []string{
		"/base/v1/ship/$count",
		"/base/v1/ship/$count?$filter=lies_in__port/any(x1:x1/name%20eq%20'L%C3%BCbeck')",
	}, w.targets())
}

func TestQuery_Invalid(t *testing.T) {
	t.Parallel()
	client, w := newClient(t, always(http.StatusOK, `{"d":[]}`))
	crewTwice := pine.Select[ship](shipName).Expand(shipCrew.Count(), shipCrew.With(pine.Select[sailor](sailorName)))
	for _, tt := range []struct {
		name  string
		query pine.Query[ship]
		want  string
	}{
		{
			"because it expands a navigation twice", ships(client).Expand(shipCrew.Count(), shipPort.With(pine.Query[port]{}), shipCrew.Count()),
			"pine: query on ship expands crew twice, and the server would return only the last: run two queries",
		},
		{
			"because one of its expansions does", ships(client).Expand(shipPort.With(pine.Select[port](portName).Expand(portShips.With(crewTwice)))),
			"pine: query on ship expands crew twice, and the server would return only the last: run two queries",
		},
		{"because it starts from nothing", pine.Select[ship](shipName), "pine: query on pine_test.ship is not bound to a client: start it with From"},
		{"because its top is negative", ships(client).Top(-1), "pine: query on ship: invalid: Top(-1) is negative"},
		{"because an expansion's top is negative", ships(client).Expand(shipCrew.With(pine.Select[sailor](sailorName).Top(-2))), "pine: query on crew: invalid: Top(-2) is negative"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			_, err := tt.query.List(t.Context())
			require.EqualError(t, err, tt.want)
			_, err = tt.query.Get(t.Context(), 1)
			require.EqualError(t, err, tt.want)
			_, err = tt.query.Count(t.Context())
			require.EqualError(t, err, tt.want)
		})
	}
	t.Cleanup(func() { assert.Zero(t, w.count()) })
}

func TestQuery_All_WithoutID(t *testing.T) {
	t.Parallel()
	type nameOnly struct {
		Name string `json:"name"`
	}
	const name pine.Field[nameOnly, string] = "name"
	client, w := newClient(t, always(http.StatusOK, `{"d":[{"name":"Vasa"},{}]}`))

	_, err := pine.From[nameOnly](client, "ship").List(t.Context())
	require.EqualError(t, err, "pine: pine_test.nameOnly has no int64 field with the json name id, by which pages are cut: add one or use OrderBy")
	require.Zero(t, w.count())

	rows, err := pine.From[nameOnly](client, "ship").OrderBy(name.Asc()).List(t.Context())
	require.NoError(t, err)
	assert.Equal(t, []nameOnly{{"Vasa"}, {""}}, rows)

	_, err = pine.From[string](client, "ship").List(t.Context())
	require.ErrorContains(t, err, "string has no int64 field")
}

func TestQuery_Immutable(t *testing.T) {
	t.Parallel()
	client, w := newClient(t, always(http.StatusOK, `{"d":[]}`))
	run := func(q pine.Query[ship]) string {
		_, err := q.List(t.Context())
		require.NoError(t, err)
		targets := w.targets()
		return targets[len(targets)-1]
	}
	// Slices with spare capacity would be shared.
	base := ships(client).Select(shipID)
	for i := range 5 {
		base = base.Where(shipKnots.Ne(int64(i))).Select(pine.Column[ship]("c" + strconv.Itoa(i))).
			OrderBy(pine.Field[ship, string]("o" + strconv.Itoa(i)).Asc()).
			Expand(pine.Links[ship, sailor]("e" + strconv.Itoa(i)).Count())
	}
	before := run(base)
	a := base.Where(shipName.Eq("a")).Select(shipLog).OrderBy(shipName.Asc()).Expand(shipCrew.Count()).Top(1).PageSize(1)
	wantA := run(a)
	b := base.Where(shipName.Eq("b")).Select(shipArmed).OrderBy(shipName.Desc()).Expand(shipPort.With(pine.Select[port](portID))).Top(2)
	assert.NotEqual(t, wantA, run(b))
	assert.Equal(t, wantA, run(a))
	assert.Equal(t, before, run(base))
}

func TestFilter_Immutable(t *testing.T) {
	t.Parallel()
	operands := make([]pine.Filter[ship], 2, 10)
	operands[0], operands[1] = shipKnots.Eq(1), shipKnots.Eq(2)
	and, or := shipArmed.Eq(true).And(operands...), shipArmed.Eq(true).Or(operands...)
	where := func(c *pine.Client) pine.Query[ship] { return ships(c).Select(shipID).Where(and, or) }
	before := sent(t, where)
	query := ships(nil).Where(operands...)
	operands[0], operands[1] = shipKnots.Eq(3), shipKnots.Eq(4)
	assert.Equal(t, before, sent(t, where))
	_, err := query.List(t.Context())
	require.Error(t, err)
}

func TestRawFilter(t *testing.T) {
	t.Parallel()
	raw := pine.RawFilter[ship]("knots mul 2 gt 20 or name eq " + pine.Quote("O'Neil & Co."))
	target := sent(t, func(c *pine.Client) pine.Query[ship] { return ships(c).Where(raw, shipArmed.Eq(true)).Select(shipID) })
	assert.Equal(t, "$filter=(knots mul 2 gt 20 or name eq 'O%27%27Neil %26 Co.') and (is_armed eq true)", target)
	target = sent(t, func(c *pine.Client) pine.Query[ship] { return ships(c).Where(pine.Not(raw)).Select(shipID) })
	assert.Equal(t, "$filter=not(knots mul 2 gt 20 or name eq 'O%27%27Neil %26 Co.')", target)

	t.Run("is paged as any filter", func(t *testing.T) {
		t.Parallel()
		client, w := newClient(t, newSea(3).respond, pageSize(2))
		rows, err := ships(client).Where(pine.RawFilter[ship]("knots gt 5")).List(t.Context())
		require.NoError(t, err)
		assert.Len(t, rows, 3)
		assert.Contains(t, w.targets()[1], "$filter=(knots%20gt%205)%20and%20(id%20gt%202)")
	})
	t.Run("is refused where it cannot be sent", func(t *testing.T) {
		t.Parallel()
		client, w := newClient(t, always(200, `{"d":[]}`))
		for want, query := range map[string]pine.Query[ship]{
			"it contains '#', which no URL may: put strings through Quote":  ships(client).Where(pine.RawFilter[ship]("name eq '#1'")),
			"it contains 'ü', which no URL may: put strings through Quote":  ships(client).Where(shipArmed.Eq(true).Or(pine.RawFilter[ship]("name eq 'Zürich'"))),
			"it contains '\"', which no URL may: put strings through Quote": ships(client).Expand(shipPort.With(pine.Where(pine.RawFilter[port](`name eq "x"`)))),
			"a RawFilter is empty, or has an & or ;":                        ships(client).Where(pine.RawFilter[ship]("name eq 'a&$select=secret'")),
			"a RawFilter is empty":                                          ships(client).Where(pine.RawFilter[ship]("")),
			"a RawFilter cannot be used within Any, All or a link's Where":  ships(client).Where(shipPort.Where(pine.RawFilter[port]("name eq 'x'"))),
		} {
			_, err := query.List(t.Context())
			require.ErrorIs(t, err, pine.ErrInvalid)
			require.ErrorContains(t, err, want)
			_, err = query.Count(t.Context())
			require.ErrorIs(t, err, pine.ErrInvalid)
			require.ErrorIs(t, query.Patch(t.Context(), setName.Set("x")), pine.ErrInvalid)
		}
		assert.Zero(t, w.count())
	})
}

func TestQuery_String(t *testing.T) {
	t.Parallel()
	client, w := newClient(t, newSea(3).respond, pageSize(7))
	for _, query := range []pine.Query[ship]{
		ships(client),
		ships(client).Select(shipName).Where(shipName.Eq("a b"), shipPort.Eq(5)).Expand(shipCrew.Count()).Top(3),
		ships(client).OrderBy(shipName.Desc()).Top(2),
		ships(client).OrderBy(shipName.Desc()),
	} {
		_, _ = query.List(t.Context())
		assert.Equal(t, w.last().URL.RequestURI(), "/base"+query.String())
	}
	assert.Equal(t, "$select=id,name;$filter=name%20eq%20'x';$top=1", pine.Select(portName).Where(portName.Eq("x")).Top(1).String())
}

func TestQuery_Top_Zero(t *testing.T) {
	t.Parallel()
	client, w := newClient(t, newSea(3).respond)
	for _, query := range []pine.Query[ship]{ships(client).Top(0), ships(client).OrderBy(shipName.Asc()).Top(0)} {
		rows, err := query.List(t.Context())
		require.NoError(t, err)
		assert.Empty(t, rows)
	}
	assert.Zero(t, w.count())
	_, err := ships(client).Expand(shipCrew.With(pine.Select(sailorName).Top(0))).List(t.Context())
	require.NoError(t, err)
	assert.Contains(t, w.targets()[0], "$expand=crew($select=id,name;$top=0)")
}

// The server returns 500 for a column that it does not know, without a reason.
func TestError_Hint(t *testing.T) {
	t.Parallel()
	client, _ := newClient(t, always(500, "Internal Server Error"))
	for _, tt := range []struct {
		query pine.Query[ship]
		want  string
	}{
		{ships(client).Select(shipName, shipLog), "GET /v1/ship: 500 Internal Server Error: Internal Server Error: the server may not have log"},
		{ships(client).Where(pine.Text[ship]("log").Contains("x")), "GET /v1/ship: 500 Internal Server Error: Internal Server Error: the server may not have log"},
		{ships(client).Expand(shipPort.With(pine.Select(portName).Expand(portShips.With(pine.Select(shipLog))))), "GET /v1/ship: 500 Internal Server Error: Internal Server Error: the server may not have log"},
		{ships(client).Select(shipName), "GET /v1/ship: 500 Internal Server Error: Internal Server Error"},
	} {
		_, err := tt.query.List(t.Context())
		require.EqualError(t, err, tt.want)
		require.ErrorIs(t, err, pine.ErrServer)
	}
	_, err := ships(client).Select(shipLog).Get(t.Context(), 5)
	require.ErrorContains(t, err, "may not have log")
	client, _ = newClient(t, always(400, `"no"`))
	_, err = ships(client).Select(shipLog).List(t.Context())
	require.EqualError(t, err, "GET /v1/ship: 400 Bad Request: no")
}

func TestQuery_Get_NotFound(t *testing.T) {
	t.Parallel()
	client, _ := newClient(t, always(200, `{"d":[]}`))
	_, err := ships(client).Get(t.Context(), 12345)
	require.EqualError(t, err, "ship(12345): not found")
}
