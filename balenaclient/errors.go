package balenaclient

import "github.com/otelcol-balena/balenareceiver/balenaclient/pine"

// Error says which request failed, how, and after how many attempts. It never contains credentials.
type Error = pine.Error

// RowsError means that rows were left out because they did not fit their type. All other rows were delivered.
type RowsError = pine.RowsError

// Call is what one request cost, with all its attempts: see [WithObserver].
type Call = pine.Call

// InvalidError says which value was not sent because the server would refuse it, and what to do. It never holds the value of a variable,
// which may be secret.
type InvalidError = pine.InvalidError

// Errors that callers tell apart with [errors.Is].
var (
	ErrNotFound       = pine.ErrNotFound       // no row met the query
	ErrNotUnique      = pine.ErrNotUnique      // more than one row met a query for one
	ErrBadRequest     = pine.ErrBadRequest     // the server did not understand the request or refused a value
	ErrUnauthorized   = pine.ErrUnauthorized   // the credentials are missing, wrong or expired, or do not reach the resource
	ErrForbidden      = pine.ErrForbidden      // the credentials do not suffice
	ErrConflict       = pine.ErrConflict       // a unique value exists already, or a row is still referred to
	ErrRateLimited    = pine.ErrRateLimited    // the server asks to come back later
	ErrServer         = pine.ErrServer         // the server failed, or does not know a field that was asked for
	ErrMalformed      = pine.ErrMalformed      // the answer was not what the API promises
	ErrTooLarge       = pine.ErrTooLarge       // the answer was larger than allowed
	ErrUnfiltered     = pine.ErrUnfiltered     // a change of all rows of a resource was refused
	ErrProtected      = pine.ErrProtected      // devices and fleets are deleted only with pine.AllowProtected
	ErrInvalid        = pine.ErrInvalid        // not sent, because the server would refuse the values
	ErrOutcomeUnknown = pine.ErrOutcomeUnknown // the connection failed: whether the row was created is not known
	ErrSilent         = pine.ErrSilent         // a stream was given up because nothing came
	ErrRedirected     = pine.ErrRedirected     // the server redirected to another host
)
