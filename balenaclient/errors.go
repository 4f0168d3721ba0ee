package balenaclient

import "github.com/otelcol-balena/balenareceiver/balenaclient/pine"

// Error says which request failed, how, and after how many attempts. It never contains credentials.
type Error = pine.Error

// RowsError means that rows were skipped because they could not be decoded. All other rows were delivered.
type RowsError = pine.RowsError

// Call is the cost of one request, including all its attempts: see [WithObserver].
type Call = pine.Call

// InvalidError says which value was not sent because the server would refuse it, and how to fix it. It never contains the value of a
// variable, which may be secret.
type InvalidError = pine.InvalidError

// Errors to test for with [errors.Is].
var (
	ErrNotFound       = pine.ErrNotFound       // no row matches the query
	ErrNotUnique      = pine.ErrNotUnique      // more than one row matches a query for one
	ErrBadRequest     = pine.ErrBadRequest     // the server did not understand the request, or refused a value
	ErrUnauthorized   = pine.ErrUnauthorized   // the credentials are missing, wrong or expired, or do not reach the resource
	ErrForbidden      = pine.ErrForbidden      // the credentials are not sufficient
	ErrConflict       = pine.ErrConflict       // a unique value already exists, or another row refers to this one
	ErrRateLimited    = pine.ErrRateLimited    // the server asks to retry later
	ErrServer         = pine.ErrServer         // the server failed, or does not know a selected column
	ErrMalformed      = pine.ErrMalformed      // the response is not what the API promises
	ErrTooLarge       = pine.ErrTooLarge       // the response is larger than allowed
	ErrUnfiltered     = pine.ErrUnfiltered     // a change of all rows of a resource was not sent
	ErrProtected      = pine.ErrProtected      // devices, fleets and organizations are deleted only with AllowProtected
	ErrInvalid        = pine.ErrInvalid        // not sent, because the server would refuse a value
	ErrOutcomeUnknown = pine.ErrOutcomeUnknown // the connection failed: the row may have been created
	ErrSilent         = pine.ErrSilent         // a stream stopped sending
	ErrRedirected     = pine.ErrRedirected     // the server redirected to another host
)
