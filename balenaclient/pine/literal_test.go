package pine_test

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otelcol-balena/balenareceiver/balenaclient/pine"
)

func TestQuote(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"":                  "''",
		"plain-1_2.3~":      "'plain-1_2.3~'",
		"'":                 "'%27%27'",
		"O'Neil & Co.":      "'O%27%27Neil%20%26%20Co.'",
		"''":                "'%27%27%27%27'",
		"1+1":               "'1%2B1'",
		"100%":              "'100%25'",
		"%27":               "'%2527'",
		"a;b":               "'a%3Bb'",
		"a#b?c/d\\e":        "'a%23b%3Fc%2Fd%5Ce'",
		"$top=1,(x):=*!@":   "'%24top%3D1%2C%28x%29%3A%3D%2A%21%40'",
		"\"<>[]{}|^`":       "'%22%3C%3E%5B%5D%7B%7D%7C%5E%60'",
		"Zürich 東京":         "'Z%C3%BCrich%20%E6%9D%B1%E4%BA%AC'",
		"🚢":                 "'%F0%9F%9A%A2'",
		"two\nlines\r\ttab": "'two%0Alines%0D%09tab'",
		"nul\x00":           "'nul%00'",
		"\xff\xfe":          "'%FF%FE'",
		"\u202e\u2028":      "'%E2%80%AE%E2%80%A8'",
	} {
		t.Run(fmt.Sprintf("%q", text), func(t *testing.T) {
			t.Parallel()
			client, w := newClient(t, always(http.StatusOK, `{"d":[]}`))
			_, err := ships(client).Select(shipID).Where(shipName.Eq(text)).OrderBy(shipID.Asc()).List(t.Context())
			require.NoError(t, err)
			assert.Equal(t, []string{"/base/v1/ship?$select=id&$filter=name%20eq%20" + want + "&$orderby=id%20asc"}, w.targets())
			requireRead(t, text, want)
		})
	}
}

// requireRead reads a literal as the server does: it takes the raw URL, where only a literal's content may be percent-encoded, %27
// stands for ' everywhere, and two of them within a literal for one.
func requireRead(t *testing.T, text, literal string) {
	t.Helper()
	got, rest, err := readLiteral(literal)
	require.NoError(t, err, literal)
	require.Empty(t, rest, literal)
	require.Equal(t, text, got, literal)
}

func readLiteral(raw string) (text, rest string, err error) {
	quoteAt := func(s string) int {
		switch {
		case strings.HasPrefix(s, "'"):
			return 1
		case strings.HasPrefix(s, "%27"):
			return 3
		}
		return 0
	}
	n := quoteAt(raw)
	if n == 0 {
		return "", raw, fmt.Errorf("%q is not a literal", raw)
	}
	var encoded strings.Builder
	for raw = raw[n:]; ; {
		if n := quoteAt(raw); n > 0 {
			if raw = raw[n:]; quoteAt(raw) == 0 {
				text, err = url.PathUnescape(encoded.String())
				return text, raw, err
			}
			raw = raw[quoteAt(raw):]
			encoded.WriteByte('\'')
			continue
		}
		if raw == "" {
			return "", "", fmt.Errorf("a literal without end")
		}
		if c := raw[0]; c <= ' ' || c >= 0x7f || strings.IndexByte("#&;+?/,()=:$", c) >= 0 {
			return "", raw, fmt.Errorf("raw %q within a literal", c)
		}
		encoded.WriteByte(raw[0])
		raw = raw[1:]
	}
}

func FuzzQuote(f *testing.F) {
	for _, text := range []string{"", "'", "''", "it's", "a&b", "1+1", "100%", "%27", "%2527 or 1 eq 1", ";$top=1", "a b", "Zürich", "🚢", "\n", "\x00", "\xff", "') or (1 eq 1"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if len(text) > 1000 {
			t.Skip("the target would be too long")
		}
		client, w := newClient(t, always(http.StatusOK, `{"d":[]}`))
		query := ships(client).Select(shipID).Where(
			shipName.Eq(text), shipName.In(text, "x"), shipName.Contains(text), shipPort.Where(portName.Ne(text)),
		).Expand(shipCrew.Count(sailorName.Eq(text)))
		_, err := query.OrderBy(shipID.Asc()).List(t.Context())
		require.NoError(t, err)
		_, err = query.GetBy(t.Context(), shipName.Key(text).And(shipPort.Key(1)))
		require.ErrorIs(t, err, pine.ErrNotFound)

		condition := "(name%20eq%20?)%20and%20(name%20in%20(?,'x'))%20and%20(contains(name,?))%20and%20(lies_in__port/any(x1:x1/name%20ne%20?))"
		options := "$select=id&$expand=crew/$count($filter=name%20eq%20?)&$filter=" + condition
		for i, form := range []string{
			"/base/v1/ship?!" + options + "&$orderby=id%20asc",
			"/base/v1/ship(name=?,lies_in__port=1)?!" + options,
		} {
			raw := w.targets()[i]
			for part := range strings.SplitSeq(strings.Replace(form, "?!", "!", 1), "?") {
				part = strings.Replace(part, "!", "?", 1)
				rest, ok := strings.CutPrefix(raw, part)
				require.True(t, ok, "%q does not go on with %q", raw, part)
				if rest == "" {
					raw = ""
					break
				}
				got, behind, err := readLiteral(rest)
				require.NoError(t, err, w.targets()[i])
				require.Equal(t, text, got, w.targets()[i])
				raw = behind
			}
			require.Empty(t, raw)
		}
	})
}
