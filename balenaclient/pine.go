package balenaclient

import "github.com/otelcol-balena/balenareceiver/balenaclient/pine"

// What a typical program needs of package pine, so that it need not import it.
type (
	Query[T any]      = pine.Query[T]
	Filter[T any]     = pine.Filter[T]
	Expansion[T any]  = pine.Expansion[T]
	Assignment[T any] = pine.Assignment[T]
	Key[T any]        = pine.Key[T]
	ID[T any]         = pine.ID[T]
	Ref[T any]        = pine.Ref[T]
	Refs[T any]       = pine.Refs[T]

	// Request is a request outside the typed API: see [Client.Do].
	Request = pine.Request

	// Retry configures how failed requests are retried: see [WithRetry].
	Retry = pine.Retry

	// DeleteOption configures [pine.Query.Delete]: see [AllowProtected].
	DeleteOption = pine.DeleteOption
)

// AllowProtected allows [pine.Query.Delete] to delete rows on which much depends: devices, fleets and organizations.
func AllowProtected() DeleteOption { return pine.AllowProtected() }

// Not matches rows that do not match a filter. As in SQL, rows without a value match neither a comparison nor its negation.
func Not[T any](filter Filter[T]) Filter[T] { return pine.Not(filter) }

// As runs a query with rows of another type: see [pine.As].
func As[S, T any](query Query[T]) Query[S] { return pine.As[S](query) }

// RawFilter is a filter written by hand in a typed query: see [pine.RawFilter]. Encode strings with [Quote].
func RawFilter[T any](text string) Filter[T] { return pine.RawFilter[T](text) }

// Quote encodes a string as a literal for [Raw] and [RawFilter].
func Quote(s string) string { return pine.Quote(s) }
