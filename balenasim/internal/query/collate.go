package query

import "strings"

// collate compares strings. The server's database compares bytes: it was measured
// to order "Running" before "deleted".
func collate(a, b string) int { return strings.Compare(a, b) }
