package query

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/otelcol-balena/balenareceiver/balenasim/internal/store"
)

// releaseFields computes the versions of releases, after open-balena-api's
// src/features/ci-cd/models/release-additions.ts.
type releaseFields struct {
	t                                                                  *store.Table
	major, minor, patch, prerelease, build, variant, revision, created int
}

func newReleaseFields(t *store.Table) *releaseFields {
	field := t.Resource.Index
	return &releaseFields{t, field("semver_major"), field("semver_minor"), field("semver_patch"),
		field("semver_prerelease"), field("semver_build"), field("variant"), field("revision"), field("created_at")}
}

func (f *releaseFields) text(r store.Row, field int) string {
	s, _ := f.t.Text(r, field)
	return s
}

func (f *releaseFields) core(r store.Row) string {
	major, _ := f.t.Int(r, f.major)
	minor, _ := f.t.Int(r, f.minor)
	patch, _ := f.t.Int(r, f.patch)
	return fmt.Sprintf("%d.%d.%d", major, minor, patch)
}

func (f *releaseFields) semver(r store.Row) store.Value {
	s := f.core(r)
	if p := f.text(r, f.prerelease); p != "" {
		s += "-" + p
	}
	if b := f.text(r, f.build); b != "" {
		s += "+" + b
	}
	return store.TextValue(s)
}

// prereleases returns the parts after the dash. A draft adds its creation time.
func (f *releaseFields) prereleases(r store.Row) []string {
	var parts []string
	if p := f.text(r, f.prerelease); p != "" {
		parts = append(parts, p)
	}
	if _, final := f.t.Int(r, f.revision); !final {
		created, _ := f.t.Int(r, f.created)
		parts = append(parts, strconv.FormatInt(created, 10))
	}
	return parts
}

// builds returns the parts after the plus. Further final releases of one version
// add their revision.
func (f *releaseFields) builds(r store.Row) []string {
	var parts []string
	build := f.text(r, f.build)
	if build != "" {
		parts = append(parts, build)
	}
	if n, ok := f.t.Int(r, f.revision); ok && n > 0 {
		rev := fmt.Sprintf("rev%d", n)
		if !strings.Contains("."+build+".", "."+rev+".") {
			parts = append(parts, rev)
		}
	}
	if v := f.text(r, f.variant); v != "" {
		parts = append(parts, v)
	}
	return parts
}

func (f *releaseFields) mainVersion(r store.Row) string {
	s := f.core(r)
	if parts := f.prereleases(r); len(parts) > 0 {
		s += "-" + strings.Join(parts, ".")
	}
	return s
}

func (f *releaseFields) rawVersion(r store.Row) store.Value {
	s := f.mainVersion(r)
	if parts := f.builds(r); len(parts) > 0 {
		s += "+" + strings.Join(parts, ".")
	}
	return store.TextValue(s)
}

func (f *releaseFields) version(r store.Row) store.Value {
	quoted := func(field int) []string {
		var out []string
		if s := f.text(r, field); s != "" {
			for part := range strings.SplitSeq(s, ".") {
				out = append(out, string(appendText(nil, part)))
			}
		}
		return out
	}
	prerelease := quoted(f.prerelease)
	if _, final := f.t.Int(r, f.revision); !final {
		created, _ := f.t.Int(r, f.created)
		prerelease = append(prerelease, strconv.FormatInt(created, 10))
	}
	build := quoted(f.build)
	rest := f.builds(r)
	if f.text(r, f.build) != "" {
		rest = rest[1:]
	}
	for _, part := range rest {
		build = append(build, string(appendText(nil, part)))
	}
	major, _ := f.t.Int(r, f.major)
	minor, _ := f.t.Int(r, f.minor)
	patch, _ := f.t.Int(r, f.patch)
	return store.Value{Kind: store.JSON, S: fmt.Sprintf(
		`{"raw":%s,"major":%d,"minor":%d,"patch":%d,"prerelease":[%s],"build":[%s],"version":%s}`,
		appendText(nil, f.rawVersion(r).S), major, minor, patch,
		strings.Join(prerelease, ","), strings.Join(build, ","), appendText(nil, f.mainVersion(r)))}
}
