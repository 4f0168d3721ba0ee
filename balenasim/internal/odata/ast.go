package odata

import "time"

// Query is a parsed request target: a path such as
// /application(1)/owns__device/$count and its query options.
type Query struct {
	Resource string
	Key      *Key
	Count    bool    // the path ends in /$count
	Property *Query  // the next path segment, if any
	Links    bool    // Property was reached through /$links
	Options  Options // options of the last segment
	// Aliases holds the parameter aliases (@name=value) of the query.
	Aliases map[string]Literal
}

// Key addresses one row, by id (Value) or by natural key (Named).
type Key struct {
	Value *KeyValue
	Named []NamedKey
}

// NamedKey is one part of a natural key.
type NamedKey struct {
	Name  string
	Value KeyValue
}

// KeyValue is a literal or the name of a parameter alias.
type KeyValue struct {
	Literal Literal
	Alias   string
}

// Options are the query options of a request or of an expanded navigation. If an
// option is given twice, the last one counts.
type Options struct {
	Select  []*Path // nil stands for every field
	Filter  Expr
	OrderBy []Order
	Expand  []*Expand
	Top     *int64
	Skip    *int64
	Plain   map[string]string // plain parameters, such as returnResource
}

// Order is one $orderby property. Without a direction the server sorts
// descending, unlike OData.
type Order struct {
	Path *Path
	Desc bool
}

// Expand is one navigation of $expand.
type Expand struct {
	Name     string
	Count    bool
	Options  Options
	Property *Path // a/b: expand b inside a
}

// Expr is an expression of $filter.
type Expr interface{ expr() }

// Binary is an operator with its operands. Like the server's parser, it flattens
// a chain of the same operator into Args; operators other than and/or then use
// only the first two.
type Binary struct {
	Op   string
	Args []Expr
}

// Not negates the value that follows it. It binds tighter than eq.
type Not struct{ Arg Expr }

// In is "x in (…)".
type In struct {
	Arg  Expr
	List []Literal
}

// Call is a function call.
type Call struct {
	Method string
	Args   []Expr
}

// Alias is a reference to a parameter alias.
type Alias struct{ Name string }

// Path is a property path: name, name/property, name(key)/property,
// name/$count(filter), name/any(x:expr) or name/method(args).
type Path struct {
	Name        string
	Key         *Key
	Property    *Path
	Count       bool
	CountFilter Expr
	Lambda      *Lambda
	Method      *Call
}

// Lambda is any(...) or all(...).
type Lambda struct {
	All        bool
	Identifier string
	Expr       Expr
}

// Kind is the kind of a literal.
type Kind uint8

// The kinds of literals.
const (
	Null Kind = iota
	Number
	Text
	Bool
	Time
	Duration
)

// Literal is a constant in a query.
type Literal struct {
	Kind Kind
	Num  float64
	Text string
	Bool bool
	Time time.Time
	Dur  time.Duration
}

func (*Binary) expr() {}
func (*Not) expr()    {}
func (*In) expr()     {}
func (*Call) expr()   {}
func (*Alias) expr()  {}
func (*Path) expr()   {}

// Value is a literal used as an expression.
type Value struct{ Literal }

func (*Value) expr() {}
