package pine

import (
	"bytes"
	"encoding"
	"encoding/json"
	"reflect"
	"strings"
	"sync"
	"time"
	"unicode/utf8"
)

// parser reads rows of sound JSON into the types that row types are made of, in one pass and several times as fast as encoding/json.
//
// It knows when it does not know: whatever is unusual (a value of another type, an escape in a name, text that is not JSON), it gives up
// the row, for encoding/json to read it and to say what is wrong. So the two need not agree on errors, only on what is sound, which a
// fuzz test compares.
type parser struct {
	text  []byte
	at    int
	short bool        // whether something was given up only because the text ended
	seen  [256]string // texts of late: those of devices are mostly alike
}

// maxNesting bounds the recursion; deeper rows are given up.
const maxNesting = 100

// target is a field of a row.
type target struct {
	name   string
	index  []int
	quoted bool // a number that is sent as a text
}

// targets are the fields of a row type.
type targets struct {
	fields []target
	byName map[string]int
	order  []int // which field comes when, as in the last row: a guess
	mu     sync.Mutex
}

var knownTargets sync.Map // from reflect.Type to []target; nil if the type is none for the parser

// targetsOf reads the fields of T; nil if T is not a struct, reads itself, or is built in a way that this parser does not follow.
func targetsOf[T any]() *targets {
	t := reflect.TypeFor[T]()
	known, ok := knownTargets.Load(t)
	if !ok {
		known, _ = knownTargets.LoadOrStore(t, readTargets(t))
	}
	return known.(*targets)
}

func readTargets(t reflect.Type) *targets {
	if t.Kind() != reflect.Struct || readsItself(t) {
		return nil
	}
	all := &targets{byName: map[string]int{}}
	visible := reflect.VisibleFields(t)
	embedded := 0
	for _, field := range visible {
		if field.Anonymous && field.Type.Kind() == reflect.Struct {
			embedded += field.Type.NumField()
		}
	}
	if len(visible) != t.NumField()+embedded {
		return nil // one hides another by its name in Go, which is not that in JSON
	}
	for _, field := range visible {
		tag := field.Tag.Get("json")
		name, options, _ := strings.Cut(tag, ",")
		switch {
		case field.Anonymous && (field.Type.Kind() != reflect.Struct || name != "" || readsItself(field.Type)):
			return nil
		case field.Anonymous, !field.IsExported(), tag == "-":
			continue
		case name == "":
			name = field.Name
		}
		if options != "" && (options != "string" || field.Type != reflect.TypeFor[int64]() && field.Type != reflect.TypeFor[*int64]()) {
			return nil
		}
		if _, twice := all.byName[name]; twice {
			return nil
		}
		all.byName[name] = len(all.fields)
		all.fields = append(all.fields, target{name, field.Index, options != ""})
	}
	return all
}

func readsItself(t reflect.Type) bool {
	p := reflect.PointerTo(t)
	return p.Implements(reflect.TypeFor[json.Unmarshaler]()) || p.Implements(reflect.TypeFor[encoding.TextUnmarshaler]())
}

// find returns the field of this name, first where it was in the last row. It is false if it cannot be told: encoding/json would take
// the name in capitals too.
func (t *targets) find(name []byte, position int, order []int) (field int, ok bool) {
	if position < len(order) && order[position] >= 0 && t.fields[order[position]].name == string(name) {
		return order[position], true
	}
	if field, ok := t.byName[string(name)]; ok {
		return field, true
	}
	for known := range t.byName {
		if strings.EqualFold(known, string(name)) {
			return 0, false
		}
	}
	return -1, true
}

// parsed is a field type that reads itself from the parser.
type parsed interface {
	parse(p *parser, depth int) bool
}

// parseRow reads an object into a row. When it is false the row may have been filled in part.
func parseRow[T any](p *parser, row *T, depth int) bool {
	t := targetsOf[T]()
	if t == nil || depth > maxNesting || !p.take('{') {
		return false
	}
	into := reflect.ValueOf(row).Elem()
	order := p.orderOf(t)
	if p.take('}') {
		return true
	}
	for position := 0; ; position++ {
		name, plain, ok := p.rawText()
		if !ok || !plain || !p.take(':') {
			return false
		}
		field, ok := t.find(name, position, order)
		if !ok {
			return false
		}
		order = t.remember(position, field, order)
		if field < 0 {
			ok = p.skip(depth + 1)
		} else {
			ok = p.value(into.FieldByIndex(t.fields[field].index).Addr().Interface(), t.fields[field].quoted, depth+1)
		}
		switch {
		case !ok:
			return false
		case p.take(','):
		default:
			return p.take('}')
		}
	}
}

func (p *parser) orderOf(t *targets) []int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.order
}

// remember keeps which field came at a position. Orders that others read are not changed.
func (t *targets) remember(position, field int, order []int) []int {
	if position < len(order) && order[position] == field {
		return order
	}
	changed := make([]int, max(len(order), position+1))
	n := copy(changed, order)
	for ; n < len(changed); n++ {
		changed[n] = -1
	}
	changed[position] = field
	t.mu.Lock()
	defer t.mu.Unlock()
	t.order = changed
	return changed
}

// value reads a value into a field.
func (p *parser) value(into any, quoted bool, depth int) bool {
	switch into := into.(type) {
	case *string:
		return p.null() || p.string(into)
	case *bool:
		return p.null() || p.bool(into)
	case *int64:
		return p.null() || p.quotedInt(into, quoted)
	case **int64:
		if p.null() {
			*into = nil
			return true
		}
		n := new(int64)
		if !p.quotedInt(n, quoted) {
			return false
		}
		*into = n
		return true
	case **bool:
		if p.null() {
			*into = nil
			return true
		}
		b := new(bool)
		if !p.bool(b) {
			return false
		}
		*into = b
		return true
	case **time.Time:
		if p.null() {
			*into = nil
			return true
		}
		t := new(time.Time)
		if !p.time(t) {
			return false
		}
		*into = t
		return true
	case parsed:
		return into.parse(p, depth)
	}
	p.space()
	start := p.at
	return p.skip(depth) && json.Unmarshal(p.text[start:p.at], into) == nil
}

func (r *Ref[T]) parse(p *parser, depth int) bool {
	if p.null() {
		*r = Ref[T]{}
		return true
	}
	if p.take('{') {
		name, plain, ok := p.rawText()
		var id int64
		if !ok || !plain || string(name) != "__id" || !p.take(':') || !p.int(&id) || !p.take('}') {
			return false
		}
		*r = Ref[T]{ID: id}
		return true
	}
	if !p.take('[') {
		return false
	}
	if p.take(']') {
		*r = Ref[T]{}
		return true
	}
	row := new(T)
	if !parseRow(p, row, depth) || !p.take(']') {
		return false
	}
	*r = Ref[T]{ID: shapeOf[T]().id(reflect.ValueOf(row).Elem()), row: row}
	return true
}

func (r *Refs[T]) parse(p *parser, depth int) bool {
	if !p.take('[') {
		var count int64
		if !p.int(&count) || int64(int(count)) != count {
			return false
		}
		*r = Refs[T]{Count: int(count)}
		return true
	}
	rows := []T{}
	hasID := shapeOf[T]().idIndex != nil
	for done := p.take(']'); !done; done = !p.take(',') {
		var row T
		if !parseRow(p, &row, depth) || hasID && reflect.ValueOf(&row).Elem().IsZero() {
			return false
		}
		rows = append(rows, row)
	}
	if len(rows) > 0 && !p.take(']') {
		return false
	}
	*r = Refs[T]{Rows: rows, Count: len(rows)}
	return true
}

func (p *parser) space() {
	for p.at < len(p.text) {
		switch p.text[p.at] {
		case ' ', '\t', '\r', '\n':
			p.at++
		default:
			return
		}
	}
}

// take reads a sign if it comes next.
func (p *parser) take(sign byte) bool {
	p.space()
	if p.at == len(p.text) {
		p.short = true
		return false
	}
	if p.text[p.at] == sign {
		p.at++
		return true
	}
	return false
}

func (p *parser) word(word string) bool {
	p.space()
	next := p.text[p.at:min(p.at+len(word), len(p.text))]
	if string(next) == word {
		p.at += len(word)
		return true
	}
	if len(next) < len(word) && word[:len(next)] == string(next) {
		p.short = true
	}
	return false
}

func (p *parser) null() bool { return p.word("null") }

func (p *parser) bool(into *bool) bool {
	if p.word("true") {
		*into = true
		return true
	}
	if p.word("false") {
		*into = false
		return true
	}
	return false
}

// rawText reads a text and returns what stands between its quotes; plain if that is the text.
func (p *parser) rawText() (text []byte, plain, ok bool) {
	if !p.take('"') {
		return nil, false, false
	}
	start, ascii, escaped := p.at, true, false
	for i := start; i < len(p.text); i++ {
		switch c := p.text[i]; {
		case c == '"':
			p.at = i + 1
			text = p.text[start:i]
			return text, !escaped && (ascii || utf8.Valid(text)), true
		case c == '\\':
			escaped = true
			i++
		case c < ' ':
			return nil, false, false
		case c >= utf8.RuneSelf:
			ascii = false
		}
	}
	p.short = true
	return nil, false, false
}

func (p *parser) string(into *string) bool {
	p.space()
	start := p.at
	text, plain, ok := p.rawText()
	switch {
	case !ok:
		return false
	case !plain:
		return json.Unmarshal(p.text[start:p.at], into) == nil
	case len(text) > 40:
		*into = string(text)
		return true
	}
	hash := uint32(2166136261)
	for _, c := range text {
		hash = (hash ^ uint32(c)) * 16777619
	}
	known := &p.seen[hash>>24^hash&0xff]
	if *known != string(text) {
		*known = string(text)
	}
	*into = *known
	return true
}

func (p *parser) int(into *int64) bool {
	p.space()
	n, end, ok := digits(p.text, p.at)
	switch {
	case end == len(p.text):
		p.short = true // there may be more digits
		return false
	case !ok || p.text[end] == '.' || p.text[end]|0x20 == 'e':
		return false
	}
	*into, p.at = n, end
	return true
}

// digits reads a whole number that surely fits, and returns where it ends.
func digits(text []byte, at int) (n int64, end int, ok bool) {
	negative := at < len(text) && text[at] == '-'
	if negative {
		at++
	}
	for end = at; end < len(text) && text[end] >= '0' && text[end] <= '9'; end++ {
		n = n*10 + int64(text[end]-'0')
	}
	if negative {
		n = -n
	}
	count := end - at
	return n, end, count > 0 && count <= 18 && (count == 1 || text[at] != '0')
}

func (p *parser) quotedInt(into *int64, quoted bool) bool {
	if !quoted {
		return p.int(into)
	}
	text, plain, ok := p.rawText()
	if !ok || !plain {
		return false
	}
	n, end, ok := digits(text, 0)
	*into = n
	return ok && end == len(text)
}

// time reads a time as the server writes it.
func (p *parser) time(into *time.Time) bool {
	p.space()
	start := p.at
	text, plain, ok := p.rawText()
	if !ok {
		return false
	}
	if plain && len(text) == len("2006-01-02T15:04:05.000Z") && text[4] == '-' && text[7] == '-' && text[10] == 'T' && text[13] == ':' &&
		text[16] == ':' && text[19] == '.' && text[23] == 'Z' {
		sound := true
		number := func(from, to int) (n int) {
			for _, c := range text[from:to] {
				sound = sound && c >= '0' && c <= '9'
				n = n*10 + int(c-'0')
			}
			return n
		}
		year, month, day := number(0, 4), number(5, 7), number(8, 10)
		hour, minute, second, ms := number(11, 13), number(14, 16), number(17, 19), number(20, 23)
		t := time.Date(year, time.Month(month), day, hour, minute, second, ms*int(time.Millisecond), time.UTC)
		// A day that the month does not have would have become one of the next.
		if sound && hour < 24 && minute < 60 && second < 60 && t.Day() == day && t.Month() == time.Month(month) {
			*into = t
			return true
		}
	}
	return json.Unmarshal(p.text[start:p.at], into) == nil
}

// skip reads over a value.
func (p *parser) skip(depth int) bool {
	p.space()
	if p.at == len(p.text) {
		p.short = true
		return false
	}
	if depth > maxNesting {
		return false
	}
	switch c := p.text[p.at]; c {
	case '{', '[':
		p.at++
		end := c + 2 // of both
		if p.take(end) {
			return true
		}
		for {
			if c == '{' {
				if _, _, ok := p.sound(); !ok || !p.take(':') {
					return false
				}
			}
			if !p.skip(depth + 1) {
				return false
			}
			if !p.take(',') {
				return p.take(end)
			}
		}
	case '"':
		_, _, ok := p.sound()
		return ok
	case 't':
		return p.word("true")
	case 'f':
		return p.word("false")
	case 'n':
		return p.word("null")
	}
	return p.number()
}

// sound reads a text of which only its soundness matters.
func (p *parser) sound() (text []byte, plain, ok bool) {
	p.space()
	start := p.at
	text, plain, ok = p.rawText()
	if ok && bytes.IndexByte(text, '\\') >= 0 {
		ok = json.Valid(p.text[start:p.at])
	}
	return text, plain, ok
}

// number reads over a number.
func (p *parser) number() bool {
	start := p.at
	for p.at < len(p.text) && strings.IndexByte("+-.0123456789Ee", p.text[p.at]) >= 0 {
		p.at++
	}
	if p.at == len(p.text) {
		p.short = true
		return false
	}
	text := p.text[start:p.at]
	for i, c := range text { // mostly a whole number
		if c < '0' || c > '9' || i == 0 && c == '0' && len(text) > 1 {
			return json.Valid(text)
		}
	}
	return len(text) > 0
}
