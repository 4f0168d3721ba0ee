package pine

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
)

// maxUpsertRounds limits how often Upsert starts again when others delete the row between its requests.
const maxUpsertRounds = 4

// Create creates a row and returns it as the server does. The query's filters, columns and expansions are ignored.
//
// A request that failed after it was sent is not retried, because it may have created the row: the error then is [ErrOutcomeUnknown]. It
// is [ErrConflict] if there is a row with a value that must be unique, or if a row that is referred to does not exist.
func (q Query[T]) Create(ctx context.Context, assignments ...Assignment[T]) (T, error) {
	return q.create(ctx, false, assignments)
}

// create creates a row. It is idempotent if a unique key of the row is assigned.
func (q Query[T]) create(ctx context.Context, idempotent bool, assignments []Assignment[T]) (T, error) {
	var row T
	if err := q.check(); err != nil {
		return row, err
	}
	body, err := q.body(assignments)
	if err != nil {
		return row, err
	}
	err = q.client.send(ctx, request{
		method:     http.MethodPost,
		resource:   q.resource,
		target:     q.path,
		body:       body,
		idempotent: idempotent,
		hint:       q.hint,
		read: func(body io.Reader, _ func(error) error) (int, error) {
			return 1, decodeDocument(body, &row)
		},
	})
	return row, err
}

// Patch changes all rows that match the query's filters, with one request. Without a filter it returns [ErrUnfiltered].
//
// It is not an error if no row matches: see [Query.MustMatch]. The server changes all rows or, if it refuses a value for one of them,
// none. A failed request is retried, since it assigns the same values again.
func (q Query[T]) Patch(ctx context.Context, assignments ...Assignment[T]) error {
	body, err := q.body(assignments)
	if err != nil {
		return err
	}
	return q.change(ctx, http.MethodPatch, body)
}

// DeleteOption is an option of [Query.Delete].
type DeleteOption func(*deletion)

type deletion struct{ allowProtected bool }

// AllowProtected allows rows of a protected resource to be deleted, such as devices and fleets: see [Rules].
func AllowProtected() DeleteOption { return func(d *deletion) { d.allowProtected = true } }

// Delete deletes all rows that match the query's filters, and what belongs to them, with one request. Without a filter it returns
// [ErrUnfiltered]; for a protected resource it returns [ErrProtected] without [AllowProtected]. It is not an error if no row matches.
func (q Query[T]) Delete(ctx context.Context, options ...DeleteOption) error {
	var d deletion
	for _, option := range options {
		option(&d)
	}
	if q.rules.Protected && !d.allowProtected {
		return fmt.Errorf("pine: %s: %w: use AllowProtected to delete rows", q.resource, ErrProtected)
	}
	return q.change(ctx, http.MethodDelete, nil)
}

// MustMatch makes Patch and Delete return [ErrNotFound] if no row matches the query. It takes one more request, to count the rows; they may
// still change between the two.
func (q Query[T]) MustMatch() Query[T] {
	q.mustMatch = true
	return q
}

func (q Query[T]) change(ctx context.Context, method string, body []byte) error {
	if err := q.check(); err != nil {
		return err
	}
	filter := q.filter()
	switch {
	case conjunction(q.condition[q.scope:]) == nil:
		return fmt.Errorf("pine: %s of %s: %w: it would affect every row; add a Where filter", method, q.resource, ErrUnfiltered)
	case q.top != nil || len(q.orders) > 0:
		return fmt.Errorf("pine: %s of %s: %w: the server ignores OrderBy and Top here and would affect more rows",
			method, q.resource, ErrInvalid)
	}
	if q.mustMatch {
		count, err := q.Count(ctx)
		if err != nil {
			return err
		}
		if count == 0 {
			return fmt.Errorf("%s: %w: no row matches the filter, nothing was changed", q.resource, ErrNotFound)
		}
	}
	return q.client.send(ctx, request{
		method:   method,
		resource: q.resource,
		target:   func() string { return q.path() + "?$filter=" + filter },
		body:     body,
		hint:     q.hint,
		read: func(body io.Reader, _ func(error) error) (int, error) {
			_, err := io.Copy(io.Discard, body) // so that the connection can be reused
			return 0, err
		},
	})
}

// Upsert creates the row with this key, or changes it if it exists, and returns it. The query's filters are ignored.
//
// It tries to create the row; on a conflict it changes the row and reads it back; if others deleted the row in the meantime it starts again.
// The error is [ErrConflict] if another row has a value that must be unique.
//
// Unlike [Query.Create] it is retried after any temporary failure, since the key prevents a second row.
func (q Query[T]) Upsert(ctx context.Context, key Key[T], assignments ...Assignment[T]) (T, error) {
	q.condition, q.scope, q.orders, q.top, q.mustMatch = nil, 0, nil, nil, false
	keyed := q.Where(key.filter)
	var none T
	var conflict error
	for range maxUpsertRounds {
		row, err := q.create(ctx, true, and(key.parts, assignments))
		if err == nil || !isTaken(err) {
			return row, err
		}
		if len(assignments) > 0 {
			if err := keyed.Patch(ctx, assignments...); err != nil {
				return none, err
			}
		}
		if row, readErr := keyed.One(ctx); !errors.Is(readErr, ErrNotFound) {
			return row, readErr
		}
		if conflict != nil && messageOf(conflict) == messageOf(err) && !isAbout(err, key) {
			return none, fmt.Errorf("%s: no row has the key %s, but another row has a value that must be unique: %w", q.resource, key, err)
		}
		conflict = err
	}
	return none, fmt.Errorf("%s: others keep deleting the row with the key %s: it existed for each of %d attempts to create it, and for none to change it: %w",
		q.resource, key, maxUpsertRounds, conflict)
}

// isAbout reports whether a conflict is about a key. The server names the columns in quotes: "device" and "tag_key" must be unique.
func isAbout[T any](conflict error, key Key[T]) bool {
	message := messageOf(conflict)
	return !slices.ContainsFunc(key.parts, func(part Assignment[T]) bool { return !strings.Contains(message, `"`+part.column+`"`) })
}

func messageOf(err error) string {
	var failure *Error
	if errors.As(err, &failure) {
		return failure.Message
	}
	return ""
}

// isTaken reports whether a row could not be created because a value must be unique. For a reference to a row that does not exist the
// server returns the same status with another message.
func isTaken(err error) bool {
	var failure *Error
	return errors.As(err, &failure) && failure.Status == http.StatusConflict && strings.Contains(strings.ToLower(failure.Message), "unique")
}
