package balenaclient

import (
	"context"
	"errors"
	"fmt"

	"github.com/otelcol-balena/balenareceiver/balenaclient/pine"
)

// pairs are the rows of names and values of one owner: variables or tags.
type pairs interface {
	all(ctx context.Context) (map[string]string, error)
	get(ctx context.Context, name string) (string, error)
	set(ctx context.Context, name, value string) error
	unset(ctx context.Context, name string) error

	// check reports why a pair would be refused. It asks nobody.
	check(name, value string) error
}

type pairsOf[T any] struct {
	owner string // whose they are, for errors
	rows  pine.Query[T]
	key   func(name string) pine.Key[T] // names one of the owner's rows
	of    pine.Filter[T]                // met by the owner's rows
	name  pine.Settable[T, string]
	value pine.Settable[T, string]
	pair  func(T) (name, value string)
}

func (p pairsOf[T]) all(ctx context.Context) (map[string]string, error) {
	all := map[string]string{}
	for row, err := range p.rows.Where(p.of).Select(p.name, p.value).All(ctx) {
		if err != nil {
			return nil, fmt.Errorf("%s: %w", p.owner, err)
		}
		name, value := p.pair(row)
		all[name] = value
	}
	return all, nil
}

func (p pairsOf[T]) get(ctx context.Context, name string) (string, error) {
	row, err := p.rows.Where(p.of, p.name.Eq(name)).Select(p.name, p.value).One(ctx)
	if err != nil {
		return "", p.explain(name, err)
	}
	_, value := p.pair(row)
	return value, nil
}

func (p pairsOf[T]) set(ctx context.Context, name, value string) error {
	_, err := p.rows.Select(p.name).Upsert(ctx, p.key(name), p.value.Set(value))
	return p.explain(name, err)
}

func (p pairsOf[T]) unset(ctx context.Context, name string) error {
	return p.explain(name, p.rows.Where(p.of, p.name.Eq(name)).MustMatch().Delete(ctx))
}

func (p pairsOf[T]) check(name, value string) error {
	return p.explain(name, p.rows.Check(p.name.Set(name), p.value.Set(value)))
}

func (p pairsOf[T]) explain(name string, err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, ErrInvalid):
		return fmt.Errorf("%s: %w", p.owner, err) // it names what it is about
	}
	return fmt.Errorf("%s: %q: %w", p.owner, name, err)
}
