package odata

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestParse(t *testing.T) {
	for name, test := range map[string]struct {
		target string
		err    error
	}{
		"a literal comma separates fields":           {"/device?$select=id,uuid", nil},
		"an encoded comma does not":                  {"/device?$select=id%2Cuuid", ErrSyntax},
		"no space may follow a comma":                {"/device?$select=id,%20uuid", ErrSyntax},
		"the dollar of an option may be encoded":     {"/device?%24select=id", nil},
		"spaces may be plus signs":                   {"/device?$filter=id+eq+1", nil},
		"raw spaces are allowed":                     {"/device?$filter=id eq 1", nil},
		"parentheses must be literal":                {"/device%28id%29", ErrSyntax},
		"a trailing ampersand is rejected":           {"/device?$select=id&", ErrSyntax},
		"an empty query is allowed":                  {"/device?", nil},
		"a trailing slash is rejected":               {"/device/", ErrSyntax},
		"unknown options are rejected":               {"/device?$apply=x", ErrSyntax},
		"$search is rejected":                        {"/device?$search=x", ErrSyntax},
		"unknown plain parameters are ignored":       {"/device?foo=bar", nil},
		"$top is not negative":                       {"/device?$top=-1", ErrSyntax},
		"an id is a number or a string":              {"/device(abc)", ErrSyntax},
		"an expanded option may follow a semicolon":  {"/a?$expand=b($select=id;$top=1)", nil},
		"or an ampersand":                            {"/a?$expand=b($select=id&$top=1)", nil},
		"but not an encoded semicolon":               {"/a?$expand=b($select=id%3B$top=1)", ErrSyntax},
		"a list may not be empty":                    {"/a?$filter=x%20in%20()", ErrSyntax},
		"a list may have spaces after commas":        {"/a?$filter=x%20in%20(1,%202)", nil},
		"a bare date is no literal":                  {"/a?$filter=x%20gt%202026-01-01", ErrSyntax},
		"a datetime is one":                          {"/a?$filter=x%20gt%20datetime'2026-01-01T00:00:00Z'", nil},
		"a datetime of no date is taken for a name":  {"/a?$filter=x%20gt%20datetime'soon'", nil},
		"so is a duration of nothing":                {"/a?$filter=x%20gt%20duration'P'", nil},
		"a lone percent sign breaks a string":        {"/a?$filter=x%20eq%20'100%'", ErrEncoding},
		"an operator needs an operand":               {"/a?$filter=x%20eq", ErrSyntax},
		"a function needs all its arguments":         {"/a?$filter=contains(x)", ErrSyntax},
		"a parenthesis must be closed":               {"/a?$filter=(x%20eq%201", ErrSyntax},
		"an operator may be followed by parentheses": {"/a?$filter=not(x%20eq(1))", nil},
	} {
		_, err := Parse(test.target)
		assert.ErrorIs(t, err, test.err, name)
	}
}

// filter parses a filter and formats it with all parentheses.
func filter(t *testing.T, text string) string {
	t.Helper()
	q, err := Parse("/a?$filter=" + strings.ReplaceAll(text, " ", "%20"))
	require.NoError(t, err, text)
	return show(q.Options.Filter)
}

func show(e Expr) string {
	switch e := e.(type) {
	case *Binary:
		args := make([]string, len(e.Args))
		for i, a := range e.Args {
			args[i] = show(a)
		}
		return "(" + strings.Join(args, " "+e.Op+" ") + ")"
	case *Not:
		return "not" + show(e.Arg)
	case *Path:
		if e.Property != nil {
			return e.Name + "/" + show(e.Property)
		}
		return e.Name
	case *Value:
		return e.Text + map[bool]string{true: "n"}[e.Kind == Number]
	}
	return "?"
}

func TestParse_Precedence(t *testing.T) {
	for text, want := range map[string]string{
		"a or b and c":            "((a or b) and c)",
		"a and b or c":            "((a and b) or c)",
		"a and b and c":           "(a and b and c)",
		"a eq b and c eq d":       "((a eq b) and (c eq d))",
		"not a eq b":              "(nota eq b)",
		"not(a eq b)":             "not(a eq b)",
		"a add b mul c":           "(a add (b mul c))",
		"a sub b add c":           "(a sub (b add c))",
		"a eq b add c":            "(a eq (b add c))",
		"(a or b) and (c or d)":   "((a or b) and (c or d))",
		"a/b/c eq d":              "(a/b/c eq d)",
		"note eq nothing":         "(note eq nothing)",
		"a eq 'it''s %26 a+b%2B'": "(a eq it's & a+b+)",
	} {
		assert.Equal(t, want, filter(t, text), text)
	}
}

func TestParse_Defaults(t *testing.T) {
	q, err := Parse("/device?$orderby=a,b%20asc,c%20desc&$select=id&$select=uuid")
	require.NoError(t, err)
	var desc []bool
	for _, o := range q.Options.OrderBy {
		desc = append(desc, o.Desc)
	}
	assert.Equal(t, []bool{true, false, true}, desc, "descending by default")
	require.Len(t, q.Options.Select, 1)
	assert.Equal(t, "uuid", q.Options.Select[0].Name, "the last one counts")
}

func TestParse_Nesting(t *testing.T) {
	const n = 20_000
	for _, target := range []string{
		"/a?$filter=" + strings.Repeat("(", n),
		"/a?$filter=" + strings.Repeat("not ", n) + "a",
		"/a?$filter=" + strings.Repeat("a/", n) + "b",
		"/a?$filter=" + strings.Repeat("x in ((", n),
		"/a?$filter=" + strings.Repeat("a/any(b:", n),
		"/a?$filter=" + strings.Repeat("contains(a,", n),
		"/a?$filter=x in (1," + strings.Repeat("a/any(b:x in (1,", n),
		"/a?$expand=" + strings.Repeat("b($expand=", n),
		"/a" + strings.Repeat("/b", n),
		"/a(1)" + strings.Repeat("/b(1)", n),
		"/a?$filter=" + strings.Repeat("a/$count($filter=", n),
		"/a?$filter=a eq 1" + strings.Repeat(" or a eq 1", n),
	} {
		start := time.Now()
		_, _ = Parse(target)
		assert.Less(t, time.Since(start), 2*time.Second, target[:40])
	}
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{
		"/device?$select=id,uuid&$filter=a/any(b:b/c%20eq%20'd')&$orderby=id%20asc&$top=1&$skip=2",
		"/a(uuid='x')/b/$count?$filter=not(x%20in%20(1,'2',null))", "/a(@k)?@k=1&$count=true",
		"/a?$expand=b/$count($filter=x%20gt%20datetime'2026-01-01'),c($expand=d;$top=1)",
		"/a?$filter=now()%20sub%20duration'P1DT2H'%20lt%20x&$format=json;odata.metadata=full",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if q, err := Parse(s); (q == nil) == (err == nil) {
			t.Fatalf("%q: %v, %v", s, q, err)
		}
	})
}
