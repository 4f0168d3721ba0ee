package receiver

import (
	"errors"
	"fmt"
	"path"
	"regexp"
	"slices"
	"strings"
)

// slugFilter decides by slug which fleets are reported.
type slugFilter struct {
	include, exclude []slugPattern
}

type slugPattern struct {
	text    string
	matches func(slug string) bool
}

// newSlugFilter returns the filter of the patterns below a key of the configuration.
func newSlugFilter(key string, include, exclude []string) (slugFilter, error) {
	included, includeErr := slugPatterns(key+"::include", include)
	excluded, excludeErr := slugPatterns(key+"::exclude", exclude)
	return slugFilter{include: included, exclude: excluded}, errors.Join(includeErr, excludeErr)
}

func slugPatterns(key string, patterns []string) ([]slugPattern, error) {
	var errs []error
	matchers := make([]slugPattern, 0, len(patterns))
	for _, pattern := range patterns {
		matcher, err := newSlugPattern(pattern)
		if err != nil {
			errs = append(errs, fmt.Errorf("%q: pattern %q: %w", key, pattern, err))
			continue
		}
		matchers = append(matchers, slugPattern{pattern, matcher})
	}
	return matchers, errors.Join(errs...)
}

func newSlugPattern(pattern string) (func(slug string) bool, error) {
	if expr, ok := betweenSlashes(pattern); ok {
		re, err := regexp.Compile(expr)
		if err != nil {
			return nil, fmt.Errorf("invalid regular expression (which is expected between slashes): %w", err)
		}
		return re.MatchString, nil
	}
	if strings.Count(pattern, "/") != 1 {
		return nil, errors.New(`use organization/fleet, where "*" matches any characters except a slash, or a regular expression between slashes`)
	}
	// The server keeps slugs in lower case.
	glob := strings.ToLower(pattern)
	if _, err := path.Match(glob, ""); err != nil {
		return nil, fmt.Errorf(`invalid glob: %w (check the brackets)`, err)
	}
	return func(slug string) bool {
		matched, err := path.Match(glob, slug)
		return err == nil && matched
	}, nil
}

func betweenSlashes(pattern string) (string, bool) {
	if len(pattern) < 2 || !strings.HasPrefix(pattern, "/") || !strings.HasSuffix(pattern, "/") {
		return "", false
	}
	return pattern[1 : len(pattern)-1], true
}

func (f slugFilter) matches(slug string) bool {
	return (len(f.include) == 0 || anyMatches(f.include, slug)) && !anyMatches(f.exclude, slug)
}

func anyMatches(patterns []slugPattern, slug string) bool {
	for _, pattern := range patterns {
		if pattern.matches(slug) {
			return true
		}
	}
	return false
}

// patternMatches records which patterns match a fleet. One that matches none is probably misspelled.
type patternMatches struct {
	filter  slugFilter
	matched map[string]bool
}

func (f slugFilter) newMatches() *patternMatches {
	return &patternMatches{filter: f, matched: map[string]bool{}}
}

func (m *patternMatches) note(slug string) {
	for _, patterns := range [][]slugPattern{m.filter.include, m.filter.exclude} {
		for _, pattern := range patterns {
			if !m.matched[pattern.text] && pattern.matches(slug) {
				m.matched[pattern.text] = true
			}
		}
	}
}

func (m *patternMatches) unmatched() (patterns []string) {
	for _, pattern := range slices.Concat(m.filter.include, m.filter.exclude) {
		if !m.matched[pattern.text] {
			patterns = append(patterns, pattern.text)
		}
	}
	return patterns
}
