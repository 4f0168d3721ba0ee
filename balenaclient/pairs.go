package balenaclient

import (
	"context"
	"errors"
	"fmt"

	"github.com/otelcol-balena/balenareceiver/balenaclient/pine"
)

// pairs are the variables or tags of one owner.
type pairs interface {
	all(ctx context.Context) (map[string]string, error)
	get(ctx context.Context, name string) (string, error)
	set(ctx context.Context, name, value string) error
	unset(ctx context.Context, name string) error

	// check reports why the API would refuse a pair. It sends nothing.
	check(name, value string) error
}

// newPairs returns the rows of T that refer to an owner of type S by a link.
func newPairs[T, S any](owner string, parent pine.ID[S], rows pine.Query[T], link pine.SettableLink[T, S],
	name, value pine.SettableText[T], pair func(T) (string, string)) pairsOf[T] {
	return pairsOf[T]{
		owner: owner,
		rows:  rows.Where(link.Eq(parent)),
		key:   func(n string) pine.Key[T] { return link.Key(parent).And(name.Key(n)) },
		name:  name,
		value: value,
		pair:  pair,
	}
}

type pairsOf[T any] struct {
	owner  string                      // for errors
	exists func(context.Context) error // ErrNotFound if the owner does not exist; nil if it is known to
	rows   pine.Query[T]               // the owner's
	key    func(name string) pine.Key[T]
	name   pine.SettableText[T]
	value  pine.SettableText[T]
	pair   func(T) (name, value string)
}

// ownedBy makes operations on an owner that does not exist fail alike: the API itself returns nothing, or a conflict.
func (p pairsOf[T]) ownedBy(exists func(context.Context) error) pairsOf[T] {
	p.exists = exists
	return p
}

func (p pairsOf[T]) all(ctx context.Context) (map[string]string, error) {
	all := map[string]string{}
	for row, err := range p.rows.Select(p.name, p.value).All(ctx) {
		if err != nil {
			return nil, fmt.Errorf("%s: %w", p.owner, err)
		}
		name, value := p.pair(row)
		all[name] = value
	}
	if len(all) == 0 && p.exists != nil {
		if err := p.exists(ctx); err != nil {
			return nil, err
		}
	}
	return all, nil
}

func (p pairsOf[T]) get(ctx context.Context, name string) (string, error) {
	row, err := p.rows.Where(p.name.Eq(name)).Select(p.name, p.value).One(ctx)
	if err != nil {
		return "", p.explain(ctx, name, err)
	}
	_, value := p.pair(row)
	return value, nil
}

func (p pairsOf[T]) set(ctx context.Context, name, value string) error {
	_, err := p.rows.Select(p.name).Upsert(ctx, p.key(name), p.value.Set(value))
	return p.explain(ctx, name, err)
}

func (p pairsOf[T]) unset(ctx context.Context, name string) error {
	return p.explain(ctx, name, p.rows.Where(p.name.Eq(name)).MustMatch().Delete(ctx))
}

func (p pairsOf[T]) check(name, value string) error {
	if err := p.rows.Check(p.name.Set(name), p.value.Set(value)); err != nil {
		return fmt.Errorf("%s: %w", p.owner, err)
	}
	return nil
}

func (p pairsOf[T]) explain(ctx context.Context, name string, err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, ErrInvalid):
		return fmt.Errorf("%s: %w", p.owner, err) // it names the variable or tag
	case p.exists != nil && (errors.Is(err, ErrNotFound) || errors.Is(err, ErrConflict)):
		if missing := p.exists(ctx); errors.Is(missing, ErrNotFound) {
			return missing
		}
	}
	return fmt.Errorf("%s: %q: %w", p.owner, name, err)
}
