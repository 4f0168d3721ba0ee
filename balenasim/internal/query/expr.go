package query

import (
	"github.com/otelcol-balena/balenareceiver/balenasim/internal/odata"
	"github.com/otelcol-balena/balenareceiver/balenasim/internal/store"
)

var comparisons = map[string]bool{"eq": true, "ne": true, "gt": true, "ge": true, "lt": true, "le": true}

// boolean compiles a condition.
func (c *compiler) boolean(e odata.Expr, sc scope) (operand, error) {
	if call, ok := e.(*odata.Call); ok && !booleanFunctions[call.Method] {
		return operand{}, failf("%s is not a condition", call.Method)
	}
	o, err := c.operand(e, sc)
	if err != nil {
		return operand{}, err
	}
	if o.typ == typeNull {
		return o, nil
	}
	if o, err = c.typed(o, typeBool); err != nil {
		return operand{}, err
	}
	if o.typ != typeBool {
		return operand{}, failf("a condition must be boolean")
	}
	return o, nil
}

// operand compiles an expression.
func (c *compiler) operand(e odata.Expr, sc scope) (operand, error) {
	switch e := e.(type) {
	case *odata.Value:
		return bind(e.Literal), nil
	case *odata.Alias:
		lit, ok := c.literals[e.Name]
		if !ok {
			return operand{}, &MissingBindingError{e.Name}
		}
		return bind(lit), nil
	case *odata.Path:
		return c.property(e, sc)
	case *odata.Not:
		return c.not(e, sc)
	case *odata.In:
		return c.in(e, sc)
	case *odata.Call:
		return c.call(e, sc)
	case *odata.Binary:
		switch e.Op {
		case "and", "or":
			return c.logic(e, sc)
		case "mod":
			// The server parses mod but does not compile it.
			return operand{}, failf("mod is not supported")
		}
		if not, ok := e.Args[0].(*odata.Not); ok && comparisons[e.Op] {
			return c.notComparison(not, e, sc)
		}
		// The server compiles only the first two operands of a chain.
		a, err := c.operand(e.Args[0], sc)
		if err != nil {
			return operand{}, err
		}
		b, err := c.operand(e.Args[1], sc)
		if err != nil {
			return operand{}, err
		}
		switch e.Op {
		case "add", "sub", "mul", "div":
			return c.arithmetic(e.Op, a, b)
		}
		return c.compare(e.Op, a, b)
	}
	return operand{}, failf("unknown expression")
}

func (c *compiler) not(e *odata.Not, sc scope) (operand, error) {
	o, err := c.boolean(e.Arg, sc)
	if err != nil {
		return operand{}, err
	}
	if o.typ == typeNull {
		return operand{}, failf("null cannot be negated")
	}
	return operand{typ: typeBool, eval: func(f *frame) store.Value {
		v := o.eval(f)
		if v.Kind == store.Null {
			return v
		}
		return store.BoolValue(v.I == 0)
	}}, nil
}

// notComparison compiles "not a gt b". The server's parser binds not to a but
// compiles it without parentheses, so that PostgreSQL negates the comparison.
func (c *compiler) notComparison(not *odata.Not, e *odata.Binary, sc scope) (operand, error) {
	if err := c.negatable(not, sc); err != nil {
		return operand{}, err
	}
	if e.Op == "eq" || e.Op == "ne" {
		// Equality is compiled to comparisons with null, too, so that not
		// applies to a alone, except between constants and with null.
		a, err := c.operand(not.Arg, sc)
		if err != nil {
			return operand{}, err
		}
		b, err := c.operand(e.Args[1], sc)
		if err != nil {
			return operand{}, err
		}
		if !(a.typ == typeBind && b.typ == typeBind) && b.typ != typeNull {
			if a, err = c.not(not, sc); err != nil {
				return operand{}, err
			}
			return c.compare(e.Op, a, b)
		}
	}
	return c.not(&odata.Not{Arg: &odata.Binary{Op: e.Op, Args: []odata.Expr{not.Arg, e.Args[1]}}}, sc)
}

// negatable checks the operand of a not that is followed by an operator. The
// server rejects operands that it knows not to be boolean.
func (c *compiler) negatable(not *odata.Not, sc scope) error {
	if inner, ok := not.Arg.(*odata.Not); ok {
		return c.negatable(inner, sc)
	}
	o, err := c.operand(not.Arg, sc)
	if err == nil && !o.untyped && o.typ != typeBool {
		err = failf("not is followed by a value that is not a boolean")
	}
	return err
}

// logic compiles and/or with three-valued logic.
func (c *compiler) logic(e *odata.Binary, sc scope) (operand, error) {
	args := make([]operand, len(e.Args))
	for i, arg := range e.Args {
		o, err := c.boolean(arg, sc)
		if err != nil {
			return operand{}, err
		}
		args[i] = o
	}
	decisive := int64(0) // false decides and, true decides or
	if e.Op == "or" {
		decisive = 1
	}
	return operand{typ: typeBool, eval: func(f *frame) store.Value {
		unknown := false
		for _, o := range args {
			switch v := o.eval(f); {
			case v.Kind == store.Null:
				unknown = true
			case v.I == decisive:
				return v
			}
		}
		if unknown {
			return store.Value{}
		}
		return store.BoolValue(decisive == 0)
	}}, nil
}

// in compiles x = ANY(list), which is null, not false, if the list contains null.
func (c *compiler) in(e *odata.In, sc scope) (operand, error) {
	if not, ok := e.Arg.(*odata.Not); ok {
		if err := c.negatable(not, sc); err != nil {
			return operand{}, err
		}
		return c.not(&odata.Not{Arg: &odata.In{Arg: not.Arg, List: e.List}}, sc)
	}
	o, err := c.operand(e.Arg, sc)
	if err != nil {
		return operand{}, err
	}
	if o.typ == typeNull {
		return constant(typeBool, store.Value{}), nil
	}
	if o, err = c.typed(o, typeBind); err != nil {
		return operand{}, err
	}
	if o.typ == typeJSON || o.typ == typeInterval {
		return operand{}, failf("in does not support this type")
	}
	members := make(map[store.Value]bool, len(e.List))
	open := false
	for _, l := range e.List {
		if l.Kind == odata.Null {
			open = true
			continue
		}
		v, err := c.coerce(l, o.typ)
		if err != nil {
			return operand{}, err
		}
		members[v] = true
	}
	return operand{typ: typeBool, eval: func(f *frame) store.Value {
		switch v := o.eval(f); {
		case v.Kind == store.Null:
			return store.Value{}
		case members[v]:
			return store.BoolValue(true)
		case open:
			return store.Value{}
		}
		return store.BoolValue(false)
	}}, nil
}
