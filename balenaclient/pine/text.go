package pine

// Text is a column of resource R that holds strings: a [Field] that can also be searched.
type Text[R any] string

// Contains matches rows whose field contains the string. Case matters.
func (f Text[R]) Contains(s string) Filter[R] {
	return Filter[R]{call("contains", string(f), quote(s))}
}

// StartsWith matches rows whose field starts with the string. Case matters.
func (f Text[R]) StartsWith(s string) Filter[R] {
	return Filter[R]{call("startswith", string(f), quote(s))}
}

// EndsWith matches rows whose field ends with the string. Case matters.
func (f Text[R]) EndsWith(s string) Filter[R] {
	return Filter[R]{call("endswith", string(f), quote(s))}
}

// Eq matches rows whose field equals v.
func (f Text[R]) Eq(v string) Filter[R] { return Field[R, string](f).Eq(v) }

// Ne matches rows whose field does not equal v, including rows without a value.
func (f Text[R]) Ne(v string) Filter[R] { return Field[R, string](f).Ne(v) }

// Gt matches rows whose field is greater than v.
func (f Text[R]) Gt(v string) Filter[R] { return Field[R, string](f).Gt(v) }

// Ge matches rows whose field is greater than or equal to v.
func (f Text[R]) Ge(v string) Filter[R] { return Field[R, string](f).Ge(v) }

// Lt matches rows whose field is less than v.
func (f Text[R]) Lt(v string) Filter[R] { return Field[R, string](f).Lt(v) }

// Le matches rows whose field is less than or equal to v.
func (f Text[R]) Le(v string) Filter[R] { return Field[R, string](f).Le(v) }

// In matches rows whose field is one of the values. Without values it matches no row.
func (f Text[R]) In(values ...string) Filter[R] { return Field[R, string](f).In(values...) }

// IsNull matches rows whose field has no value.
func (f Text[R]) IsNull() Filter[R] { return Field[R, string](f).IsNull() }

// NotNull matches rows whose field has a value.
func (f Text[R]) NotNull() Filter[R] { return Field[R, string](f).NotNull() }

// Asc orders rows by the field, smallest first.
func (f Text[R]) Asc() Order[R] { return Field[R, string](f).Asc() }

// Desc orders rows by the field, greatest first.
func (f Text[R]) Desc() Order[R] { return Field[R, string](f).Desc() }

// Key names the one row whose field equals v: see [Field.Key].
func (f Text[R]) Key(v string) Key[R] { return Field[R, string](f).Key(v) }

func (f Text[R]) columnOf(R) string { return string(f) }

// SettableText is a [Text] that a client may write.
type SettableText[R any] string

// Set gives the field a value.
func (f SettableText[R]) Set(v string) Assignment[R] { return Settable[R, string](f).Set(v) }

// Clear takes the field's value away. The server refuses that for fields that must have one.
func (f SettableText[R]) Clear() Assignment[R] { return Settable[R, string](f).Clear() }

// Contains matches rows whose field contains the string. Case matters.
func (f SettableText[R]) Contains(s string) Filter[R] { return Text[R](f).Contains(s) }

// StartsWith matches rows whose field starts with the string. Case matters.
func (f SettableText[R]) StartsWith(s string) Filter[R] { return Text[R](f).StartsWith(s) }

// EndsWith matches rows whose field ends with the string. Case matters.
func (f SettableText[R]) EndsWith(s string) Filter[R] { return Text[R](f).EndsWith(s) }

// Eq matches rows whose field equals v.
func (f SettableText[R]) Eq(v string) Filter[R] { return Text[R](f).Eq(v) }

// Ne matches rows whose field does not equal v, including rows without a value.
func (f SettableText[R]) Ne(v string) Filter[R] { return Text[R](f).Ne(v) }

// Gt matches rows whose field is greater than v.
func (f SettableText[R]) Gt(v string) Filter[R] { return Text[R](f).Gt(v) }

// Ge matches rows whose field is greater than or equal to v.
func (f SettableText[R]) Ge(v string) Filter[R] { return Text[R](f).Ge(v) }

// Lt matches rows whose field is less than v.
func (f SettableText[R]) Lt(v string) Filter[R] { return Text[R](f).Lt(v) }

// Le matches rows whose field is less than or equal to v.
func (f SettableText[R]) Le(v string) Filter[R] { return Text[R](f).Le(v) }

// In matches rows whose field is one of the values. Without values it matches no row.
func (f SettableText[R]) In(values ...string) Filter[R] { return Text[R](f).In(values...) }

// IsNull matches rows whose field has no value.
func (f SettableText[R]) IsNull() Filter[R] { return Text[R](f).IsNull() }

// NotNull matches rows whose field has a value.
func (f SettableText[R]) NotNull() Filter[R] { return Text[R](f).NotNull() }

// Asc orders rows by the field, smallest first.
func (f SettableText[R]) Asc() Order[R] { return Text[R](f).Asc() }

// Desc orders rows by the field, greatest first.
func (f SettableText[R]) Desc() Order[R] { return Text[R](f).Desc() }

// Key names the one row whose field equals v: see [Field.Key].
func (f SettableText[R]) Key(v string) Key[R] { return Text[R](f).Key(v) }

func (f SettableText[R]) columnOf(R) string { return string(f) }
