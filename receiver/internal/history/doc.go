// Package history tells what happened in an account. It compares what was last known of it with what a scrape found, and returns the
// changes. What a scrape could not find out is neither a change nor forgotten: it is compared once it is known again.
package history
