package receiver

import (
	"errors"
	"fmt"
	"path"
	"regexp"
	"strings"
)

// slugFilter decides by slug which fleets are reported.
type slugFilter struct {
	include, exclude []slugPattern
}

type slugPattern func(slug string) bool

func newSlugFilter(cfg FleetsConfig) (slugFilter, error) {
	include, includeErr := slugPatterns("fleets::include", cfg.Include)
	exclude, excludeErr := slugPatterns("fleets::exclude", cfg.Exclude)
	return slugFilter{include: include, exclude: exclude}, errors.Join(includeErr, excludeErr)
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
		matchers = append(matchers, matcher)
	}
	return matchers, errors.Join(errs...)
}

func newSlugPattern(pattern string) (slugPattern, error) {
	if expr, ok := betweenSlashes(pattern); ok {
		re, err := regexp.Compile(expr)
		if err != nil {
			return nil, fmt.Errorf("not a regular expression (between slashes one is expected): %w", err)
		}
		return re.MatchString, nil
	}
	if strings.Count(pattern, "/") != 1 {
		return nil, errors.New(`write organization/fleet, where "*" matches any characters but a slash, or a regular expression between slashes`)
	}
	// The server keeps slugs in lower case.
	glob := strings.ToLower(pattern)
	if _, err := path.Match(glob, ""); err != nil {
		return nil, fmt.Errorf(`not a glob: %w (check its brackets)`, err)
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
		if pattern(slug) {
			return true
		}
	}
	return false
}
