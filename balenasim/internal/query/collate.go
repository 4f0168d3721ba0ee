package query

import "strings"

// collate orders texts. The server's database compares them byte by byte: it
// was seen to order "Running" before "deleted".
func collate(a, b string) int { return strings.Compare(a, b) }
