package receiver

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestSlugFilter(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		include, exclude []string
		matched          []string
		unmatched        []string
	}{
		"nothing said matches all":                {nil, nil, []string{"acme/kiosk"}, nil},
		"a slug matches itself only":              {[]string{"acme/kiosk"}, nil, []string{"acme/kiosk"}, []string{"acme/kiosk2", "globex/kiosk"}},
		"a slug may be written in upper case":     {[]string{"Acme/Kiosk"}, nil, []string{"acme/kiosk"}, nil},
		"a star does not match a slash":           {[]string{"*/kiosk"}, nil, []string{"acme/kiosk"}, []string{"acme/a/kiosk"}},
		"a question mark matches one character":   {[]string{"acme/k?osk"}, nil, []string{"acme/kiosk"}, []string{"acme/kosk"}},
		"a regular expression is not anchored":    {[]string{"/kiosk/"}, nil, []string{"acme/my-kiosk-2"}, []string{"acme/other"}},
		"a regular expression may hold a slash":   {[]string{"/^acme/k/"}, nil, []string{"acme/kiosk"}, []string{"globex/kiosk"}},
		"one of several patterns suffices":        {[]string{"acme/a", "acme/b"}, nil, []string{"acme/a", "acme/b"}, []string{"acme/c"}},
		"what is excluded is not matched":         {nil, []string{"acme/test-*"}, []string{"acme/kiosk"}, []string{"acme/test-1"}},
		"exclusion is stronger than inclusion":    {[]string{"acme/*"}, []string{"acme/kiosk"}, []string{"acme/other"}, []string{"acme/kiosk"}},
		"only exclusion of one, all else stays":   {nil, []string{"acme/kiosk"}, []string{"globex/kiosk"}, []string{"acme/kiosk"}},
		"a glob may name a class of characters":   {[]string{"acme/[a-c]*"}, nil, []string{"acme/beta"}, []string{"acme/delta"}},
		"an empty regular expression matches all": {[]string{"//"}, nil, []string{"acme/kiosk"}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			filter, err := newSlugFilter("fleets", test.include, test.exclude)
			require.NoError(t, err)
			for _, slug := range test.matched {
				assert.True(t, filter.matches(slug), slug)
			}
			for _, slug := range test.unmatched {
				assert.False(t, filter.matches(slug), slug)
			}
		})
	}
}

func FuzzSlugFilter(f *testing.F) {
	f.Add("acme/*", "acme/kiosk")
	f.Add("/^acme/.+$/", "acme/kiosk")
	f.Add("acme/[", "")
	f.Fuzz(func(_ *testing.T, pattern, slug string) {
		if filter, err := newSlugFilter("fleets", []string{pattern}, nil); err == nil {
			filter.matches(slug)
		}
	})
}
