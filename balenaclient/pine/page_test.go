package pine_test

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otelcol-balena/balenareceiver/balenaclient/pine"
)

func TestQuery_All_Pages(t *testing.T) {
	t.Parallel()
	const size = 10
	for _, tt := range []struct{ rows, requests int }{
		{0, 1}, {1, 1}, {size - 1, 1}, {size, 2}, {size + 1, 2}, {2*size - 1, 2}, {2 * size, 3}, {10 * size, 11}, {10*size + 1, 11},
	} {
		t.Run(fmt.Sprintf("%d rows take %d requests", tt.rows, tt.requests), func(t *testing.T) {
			t.Parallel()
			client, w := newClient(t, newSea(tt.rows).respond, pageSize(size))
			rows, err := ships(client).List(t.Context())
			require.NoError(t, err)
			assert.Equal(t, upTo(tt.rows), ids(rows))
			assert.Equal(t, tt.requests, w.count())
			for i, target := range w.targets() {
				assert.Contains(t, target, "&$orderby=id%20asc&$top=10")
				assert.NotContains(t, target, "$skip")
				if i == 0 {
					assert.NotContains(t, target, "$filter")
				} else {
					assert.Contains(t, target, fmt.Sprintf("&$filter=id%%20gt%%20%d&", i*size))
				}
			}
			w.requireAllClosed(t)
		})
	}
}

func TestQuery_All_PagesKeepTheFilter(t *testing.T) {
	t.Parallel()
	client, w := newClient(t, newSea(3).respond)
	_, err := ships(client).Select(shipID).PageSize(2).Where(shipName.Eq("a").Or(shipName.Eq("b"))).List(t.Context())
	require.NoError(t, err)
	assert.Equal(t, []string{
		"/base/v1/ship?$select=id&$filter=(name%20eq%20'a')%20or%20(name%20eq%20'b')&$orderby=id%20asc&$top=2",
		"/base/v1/ship?$select=id&$filter=((name%20eq%20'a')%20or%20(name%20eq%20'b'))%20and%20(id%20gt%202)&$orderby=id%20asc&$top=2",
	}, w.targets())
}

func TestQuery_All_ChangesBetweenPages(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name    string
		changed func(s *sea, number int)
		want    func(int64) bool
	}{
		{"when rows seen are deleted", func(s *sea, number int) {
			if number > 1 {
				s.remove(pine.ID[ship](number - 1))
				s.remove(pine.ID[ship](10*number - 11))
			}
		}, func(int64) bool { return true }},
		{"when the last row seen is deleted", func(s *sea, number int) { s.remove(pine.ID[ship](10 * (number - 1))) }, func(int64) bool { return true }},
		{"when rows to come are deleted", func(s *sea, number int) {
			if number == 2 {
				s.remove(11)
				s.remove(95)
			}
		}, func(id int64) bool { return id != 11 && id != 95 }},
		{"when rows are inserted in front", func(s *sea, number int) {
			if number > 1 {
				s.ships = append(s.ships, ship{ID: pine.ID[ship](-number)})
			}
		}, func(int64) bool { return true }},
		{"when rows are updated", func(s *sea, number int) {
			for i := range s.ships {
				s.ships[i].Name = fmt.Sprint("renamed ", number)
			}
		}, func(int64) bool { return true }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			server := newSea(100)
			server.changed = func(number int) { tt.changed(server, number) }
			client, _ := newClient(t, server.respond, pageSize(10))
			rows, err := ships(client).List(t.Context())
			require.NoError(t, err)
			var want []int64
			for _, id := range upTo(100) {
				if tt.want(id) {
					want = append(want, id)
				}
			}
			assert.Equal(t, want, ids(rows))
		})
	}
	t.Run("and those inserted after them are found", func(t *testing.T) {
		t.Parallel()
		server := newSea(20)
		server.changed = func(number int) {
			if number == 2 {
				server.ships = append(server.ships, ship{ID: 21}, ship{ID: 30})
			}
		}
		client, _ := newClient(t, server.respond, pageSize(10))
		rows, err := ships(client).List(t.Context())
		require.NoError(t, err)
		assert.Equal(t, append(upTo(21), 30), ids(rows))
	})
}

func TestQuery_Top(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ rows, top, requests int }{
		{100, 1, 1}, {100, 9, 1}, {100, 10, 1}, {100, 11, 2}, {100, 25, 3}, {100, 100, 10}, {100, 101, 11}, {5, 25, 1}, {0, 3, 1},
	} {
		t.Run(fmt.Sprintf("%d of %d rows", tt.top, tt.rows), func(t *testing.T) {
			t.Parallel()
			client, w := newClient(t, newSea(tt.rows).respond, pageSize(10))
			rows, err := ships(client).Top(tt.top).List(t.Context())
			require.NoError(t, err)
			assert.Equal(t, upTo(min(tt.top, tt.rows)), ids(rows))
			assert.Equal(t, tt.requests, w.count())
		})
	}
	t.Run("also if the server sends more", func(t *testing.T) {
		t.Parallel()
		server := newSea(100)
		server.ignoreTop = true
		client, w := newClient(t, server.respond, pageSize(10))
		rows, err := ships(client).Top(15).List(t.Context())
		require.NoError(t, err)
		assert.Equal(t, upTo(15), ids(rows))
		assert.Equal(t, 1, w.count())
	})
	t.Run("of those that fit", func(t *testing.T) {
		t.Parallel()
		client, w := newClient(t, inTurn(
			always(http.StatusOK, `{"d":[{"id":1},{"id":2,"name":5},{"id":3}]}`),
			always(http.StatusOK, `{"d":[{"id":4}]}`),
		))
		rows, err := ships(client).Select(shipID).Top(3).List(t.Context())
		assert.Equal(t, []int64{1, 3, 4}, ids(rows))
		require.ErrorIs(t, err, pine.ErrMalformed)
		assert.Equal(t, "/base/v1/ship?$select=id&$filter=id%20gt%203&$orderby=id%20asc&$top=1", w.targets()[1])
	})
}

func TestQuery_PageSize(t *testing.T) {
	t.Parallel()
	client, w := newClient(t, newSea(5).respond, pageSize(10))
	rows, err := ships(client).PageSize(2).List(t.Context())
	require.NoError(t, err)
	assert.Len(t, rows, 5)
	assert.Equal(t, 3, w.count())
	rows, err = ships(client).PageSize(2).PageSize(0).List(t.Context())
	require.NoError(t, err)
	assert.Len(t, rows, 5)
	assert.Equal(t, 4, w.count())
}

func TestQuery_OrderBy_IsNotPaged(t *testing.T) {
	t.Parallel()
	client, w := newClient(t, always(http.StatusOK, `{"d":[{"id":3},{"id":1},{"id":2},{"id":5,"knots":"x"},{"id":4}]}`))
	rows, err := ships(client).Select(shipID).PageSize(2).OrderBy(shipName.Asc()).List(t.Context())
	require.ErrorContains(t, err, "skipped 1 row(s): ship with id 5")
	assert.Equal(t, []int64{3, 1, 2, 4}, ids(rows))
	rows, err = ships(client).Select(shipID).OrderBy(shipName.Asc()).Top(2).List(t.Context())
	require.NoError(t, err)
	assert.Equal(t, []int64{3, 1}, ids(rows))
	assert.Equal(t, []string{
		"/base/v1/ship?$select=id&$orderby=name%20asc",
		"/base/v1/ship?$select=id&$orderby=name%20asc&$top=2",
	}, w.targets())
}

func TestQuery_OrderBy_Truncated(t *testing.T) {
	t.Parallel()
	client, w := newClient(t, inTurn(
		func(int, *http.Request) (*http.Response, error) {
			return stream(http.StatusOK, broken(`{"d":[{"id":3},{"id":9,"knots":"x"},{"id":1},`)), nil
		},
		always(http.StatusOK, `{"d":[{"id":2},{"id":3},{"id":1}]}`),
	), noPause)
	rows, err := ships(client).OrderBy(shipName.Asc()).Top(10).List(t.Context())
	require.NoError(t, err)
	assert.Equal(t, []int64{2, 3, 1}, ids(rows))
	assert.Equal(t, 2, w.count())
}

// noPause lets attempts follow one another at once.
func noPause(c *pine.Config) { c.Retry.Backoff, c.Retry.MaxBackoff = 1, 1 }

func TestQuery_All_TruncatedPage(t *testing.T) {
	t.Parallel()
	server := newSea(95)
	server.body = func(number int, body string) io.ReadCloser {
		if number == 7 {
			return broken(body[:strings.Index(body, `"id":64}`)]) // in the middle of the fourth row
		}
		return io.NopCloser(strings.NewReader(body))
	}
	var calls []pine.Call
	client, w := newClient(t, server.respond, pageSize(10), noPause, func(c *pine.Config) {
		c.Observe = func(call pine.Call) { calls = append(calls, call) }
	})
	rows, err := ships(client).Select(shipID).List(t.Context())
	require.NoError(t, err)
	assert.Equal(t, upTo(95), ids(rows))
	assert.Equal(t, "/base/v1/ship?$select=id&$filter=id%20gt%2060&$orderby=id%20asc&$top=10", w.targets()[6])
	assert.Equal(t, "/base/v1/ship?$select=id&$filter=id%20gt%2063&$orderby=id%20asc&$top=10", w.targets()[7])
	assert.Equal(t, 11, w.count())
	require.Len(t, calls, 10)
	assert.Equal(t, 2, calls[6].Attempts)
	assert.Equal(t, 13, calls[6].Rows)
	w.requireAllClosed(t)
}

func TestQuery_Top_TruncatedAfterIt(t *testing.T) {
	t.Parallel()
	for _, orders := range [][]pine.Order[ship]{nil, {shipName.Asc()}} {
		client, w := newClient(t, func(int, *http.Request) (*http.Response, error) {
			return stream(http.StatusOK, broken(`{"d":[{"id":1},{"id":2}`)), nil
		})
		rows, err := ships(client).OrderBy(orders...).Top(2).List(t.Context())
		require.NoError(t, err)
		assert.Equal(t, upTo(2), ids(rows))
		assert.Equal(t, 1, w.count())
	}
}

func TestQuery_Top_TruncatedBeforeIt(t *testing.T) {
	t.Parallel()
	server := newSea(100)
	server.body = func(number int, body string) io.ReadCloser {
		if number == 1 {
			return broken(body[:strings.Index(body, `"id":4}`)])
		}
		return io.NopCloser(strings.NewReader(body))
	}
	client, w := newClient(t, server.respond, noPause)
	rows, err := ships(client).Select(shipID).Top(5).List(t.Context())
	require.NoError(t, err)
	assert.Equal(t, upTo(5), ids(rows))
	assert.Equal(t, "/base/v1/ship?$select=id&$filter=id%20gt%203&$orderby=id%20asc&$top=2", w.targets()[1])
}

func TestQuery_All_FailsAtAPage(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name string
		body func(string) io.ReadCloser
		rows int
		is   error
		want string
	}{
		{"that is always truncated", func(body string) io.ReadCloser {
			if at := strings.Index(body, `"id":64}`); at >= 0 {
				body = body[:at]
			}
			return broken(body)
		}, 63, io.ErrUnexpectedEOF, "page 7: GET /v1/ship: 200 OK: reading the response: unexpected EOF (after 4 attempts)"},
		{"that is not JSON", func(body string) io.ReadCloser {
			return io.NopCloser(strings.NewReader(strings.Replace(body, `{"name":"ship 64"`, `<html>`, 1)))
		}, 63, pine.ErrMalformed, "page 7: GET /v1/ship: 200 OK: malformed response: not JSON"},
		{"whose ids do not ascend", func(body string) io.ReadCloser {
			return io.NopCloser(strings.NewReader(strings.Replace(body, `"id":64}`, `"id":62}`, 1)))
		}, 63, pine.ErrMalformed, "page 7: GET /v1/ship: 200 OK: malformed response: id 62 follows id 63 although ascending ids were requested"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			server := newSea(95)
			server.body = func(number int, body string) io.ReadCloser {
				if number < 7 {
					return io.NopCloser(strings.NewReader(body))
				}
				if number > 7 {
					return broken("")
				}
				return tt.body(body)
			}
			client, w := newClient(t, server.respond, pageSize(10), noPause)
			var rows []ship
			var errs []error
			for row, err := range ships(client).All(t.Context()) {
				require.Empty(t, errs, "an error is the last thing")
				if err != nil {
					assert.Zero(t, row)
					errs = append(errs, err)
					continue // whoever goes on after an error gets nothing more
				}
				rows = append(rows, row)
			}
			assert.Equal(t, upTo(tt.rows), ids(rows))
			require.Len(t, errs, 1)
			require.ErrorIs(t, errs[0], tt.is)
			assert.ErrorContains(t, errs[0], tt.want)
			w.requireAllClosed(t)
		})
	}
}

func TestQuery_All_FailsAtTheFirstPage(t *testing.T) {
	t.Parallel()
	client, _ := newClient(t, always(http.StatusUnauthorized, ""))
	_, err := ships(client).List(t.Context())
	require.EqualError(t, err, "GET /v1/ship: 401 Unauthorized")
}

func TestQuery_All_ServerIgnoresTheFilter(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		server roundTrip
		rows   int
		want   string
	}{
		"because it ignores the filter": {
			func() roundTrip { s := newSea(25); s.ignoreFilter = true; return s.respond }(), 10, "id 1 follows id 10",
		},
		"because it ignores filter and top": {
			func() roundTrip { s := newSea(25); s.ignoreFilter, s.ignoreTop = true, true; return s.respond }(), 25, "id 1 follows id 25",
		},
		"because it ignores the order":           {always(http.StatusOK, `{"d":[{"id":1},{"id":5},{"id":3}]}`), 2, "id 3 follows id 5"},
		"because it repeats a row":               {always(http.StatusOK, `{"d":[{"id":1},{"id":1}]}`), 1, "id 1 follows id 1"},
		"because its rows have no ids":           {always(http.StatusOK, `{"d":[`+strings.Repeat(`{},`, 9)+`{}]}`), 0, "a page of rows without ids"},
		"because its ids are negative":           {always(http.StatusOK, `{"d":[{"id":-1}]}`), 0, "id -1 follows id 0"},
		"because an undecodable row comes later": {always(http.StatusOK, `{"d":[{"id":5},{"id":4,"name":4}]}`), 1, "id 4 follows id 5"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			client, w := newClient(t, tt.server, pageSize(10))
			rows, err := ships(client).List(t.Context())
			require.ErrorIs(t, err, pine.ErrMalformed)
			require.ErrorContains(t, err, tt.want)
			assert.Len(t, rows, tt.rows)
			assert.LessOrEqual(t, w.count(), 2)
		})
	}
}

func TestQuery_All_UndecodableRowsBetweenPages(t *testing.T) {
	t.Parallel()
	// The last row of the first page and the only one of the second do not fit, and break before their id.
	client, w := newClient(t, inTurn(
		always(http.StatusOK, `{"d":[{"id":1},{"built_at":"x","id":2}]}`),
		always(http.StatusOK, `{"d":[{"built_at":"x","id":3},{"built_at":"x","id":4}]}`),
		always(http.StatusOK, `{"d":[{"id":5}]}`),
	))
	rows, err := ships(client).Select(shipID).PageSize(2).List(t.Context())
	assert.Equal(t, []int64{1, 5}, ids(rows))
	require.ErrorContains(t, err, "skipped 3 row(s): ship with id 2: column built_at: JSON string cannot be decoded as time.Time: parsing time")
	assert.Contains(t, w.targets()[1], "id%20gt%202&")
	assert.Contains(t, w.targets()[2], "id%20gt%204&")
}

func TestQuery_All_StopsEarly(t *testing.T) {
	t.Parallel()
	for _, rows := range []int{1, 9, 10, 11, 15} {
		t.Run(fmt.Sprintf("after row %d", rows), func(t *testing.T) {
			t.Parallel()
			client, w := newClient(t, newSea(100).respond, pageSize(10))
			seen := 0
			for _, err := range ships(client).All(t.Context()) {
				require.NoError(t, err)
				if seen++; seen == rows {
					break
				}
			}
			assert.Equal(t, (rows+9)/10, w.count())
			w.requireAllClosed(t)
		})
	}
}

func TestQuery_All_ReadTwice(t *testing.T) {
	t.Parallel()
	client, w := newClient(t, newSea(25).respond, pageSize(10))
	all := ships(client).All(t.Context())
	for range 2 {
		var rows []ship
		for row, err := range all {
			require.NoError(t, err)
			rows = append(rows, row)
		}
		assert.Equal(t, upTo(25), ids(rows))
	}
	assert.Equal(t, 6, w.count())
}

func TestQuery_First_One(t *testing.T) {
	t.Parallel()
	for _, n := range []int{0, 1, 2, 30} {
		t.Run(fmt.Sprintf("of %d rows", n), func(t *testing.T) {
			t.Parallel()
			client, w := newClient(t, newSea(n).respond, pageSize(10))
			first, err := ships(client).First(t.Context())
			if n == 0 {
				require.ErrorIs(t, err, pine.ErrNotFound)
				require.EqualError(t, err, "ship: not found")
			} else {
				require.NoError(t, err)
				assert.EqualValues(t, 1, first.ID)
			}
			one, err := ships(client).One(t.Context())
			switch n {
			case 0:
				require.ErrorIs(t, err, pine.ErrNotFound)
			case 1:
				require.NoError(t, err)
				assert.EqualValues(t, 1, one.ID)
			default:
				require.ErrorIs(t, err, pine.ErrNotUnique)
				require.EqualError(t, err, "ship: more than one found")
				assert.Zero(t, one)
			}
			assert.Equal(t, 2, w.count())
		})
	}
}
