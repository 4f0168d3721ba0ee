package pine

import (
	"errors"
	"fmt"
	"io"
	"reflect"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// newDecoder returns a decoder that is as lenient as encoding/json: of members with the same name the last one counts, and invalid UTF-8
// is replaced.
func newDecoder(r io.Reader) *jsontext.Decoder {
	return jsontext.NewDecoder(r, jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))
}

// decodeRows reads {"d":[row, …]} and passes the rows to accept one by one, so that a response is never held in memory as text.
//
// A row that cannot be decoded is passed on with the reason, and with its id unless that cannot be decoded either. If accept returns an
// error, decodeRows returns it.
func decodeRows[T any](body io.Reader, maxRow int, wanted *selection, accept func(row T, id int64, undecodable error) error) error {
	source := &responseReader{reader: body, maxRow: maxRow}
	decoder := newDecoder(source)
	if err := enterRows(decoder); err != nil {
		return source.explain(err)
	}
	rows := newRowReader(shapeOf[T](), wanted)
	var row T
	into := reflect.ValueOf(&row).Elem()
	for decoder.PeekKind() != jsontext.KindEndArray {
		source.rowStart = decoder.InputOffset()
		into.SetZero()
		undecodable, err := rows.read(decoder, into)
		if err != nil {
			return source.explain(err)
		}
		id := rows.shape.idOf(into)
		if undecodable == nil && id == 0 && rows.shape.id >= 0 {
			undecodable = errors.New("row has no id")
		}
		if err := accept(row, id, undecodable); err != nil {
			return err
		}
	}
	source.rowStart = decoder.InputOffset()
	return source.explain(leaveRows(decoder))
}

// enterRows reads up to the first row.
func enterRows(decoder *jsontext.Decoder) error {
	for _, want := range []jsontext.Token{jsontext.BeginObject, jsontext.String("d"), jsontext.BeginArray} {
		token, err := decoder.ReadToken()
		if err != nil {
			return err
		}
		if token.Kind() != want.Kind() || token.String() != want.String() {
			return fmt.Errorf(`%w: it does not start with {"d":[`, ErrMalformed)
		}
	}
	return nil
}

// leaveRows reads from the end of the last row to the end of the response.
func leaveRows(decoder *jsontext.Decoder) error {
	if _, err := decoder.ReadToken(); err != nil { // ]
		return err
	}
	for decoder.StackDepth() > 0 { // other members, and }
		if err := skipNext(decoder); err != nil {
			return err
		}
	}
	return expectEnd(decoder)
}

// expectEnd reads to the end of the response, which also lets the connection be reused.
func expectEnd(decoder *jsontext.Decoder) error {
	switch _, err := decoder.ReadToken(); err {
	case io.EOF:
		return nil
	case nil:
		return fmt.Errorf("%w: trailing data after the response", ErrMalformed)
	default:
		return err
	}
}

// decodeCount reads {"d":n}.
func decodeCount(body io.Reader) (int, error) {
	var response struct {
		D *int `json:"d"`
	}
	if err := decodeDocument(body, &response); err != nil {
		return 0, err
	}
	if response.D == nil {
		return 0, fmt.Errorf(`%w: it has no {"d":number}`, ErrMalformed)
	}
	return *response.D, nil
}

// decodeDocument reads one JSON value.
func decodeDocument(body io.Reader, into any) error {
	source := &responseReader{reader: body}
	decoder := newDecoder(source)
	if undecodable := json.UnmarshalDecode(decoder, into); undecodable != nil {
		if err := skipTo(decoder, 0, 1); err != nil {
			return source.explain(err)
		}
		return fmt.Errorf("%w: %w", ErrMalformed, explainValue(undecodable))
	}
	return source.explain(expectEnd(decoder))
}

// skipNext reads over the next value, or over the end of the object or array that has no more of them.
func skipNext(decoder *jsontext.Decoder) error {
	switch decoder.PeekKind() {
	case jsontext.KindEndObject, jsontext.KindEndArray:
		_, err := decoder.ReadToken()
		return err
	}
	return decoder.SkipValue()
}

// skipTo reads on until the object or array at a depth has had a number of values (names count), wherever decoding a value was given up.
func skipTo(decoder *jsontext.Decoder, depth int, length int64) error {
	for {
		at := decoder.StackDepth()
		if _, n := decoder.StackIndex(at); at < depth || at == depth && n >= length {
			return nil
		}
		if err := skipNext(decoder); err != nil {
			return err
		}
	}
}

// responseReader bounds rows, and remembers why reading failed, which tells the errors of a connection from those of a decoder.
type responseReader struct {
	reader   io.Reader
	err      error // never io.EOF
	read     int64
	rowStart int64 // offset of the row that is being decoded
	maxRow   int   // 0 if there is no bound
}

func (r *responseReader) Read(p []byte) (int, error) {
	if r.maxRow > 0 && r.read-r.rowStart > int64(r.maxRow) && r.err == nil {
		r.err = fmt.Errorf("%w: a row of more than %d bytes", ErrTooLarge, r.maxRow)
	}
	if r.err != nil {
		return 0, r.err
	}
	n, err := r.reader.Read(p)
	r.read += int64(n)
	if err != nil && err != io.EOF {
		r.err = err
	}
	return n, err
}

// explain tells a response that failed on its way or was truncated, which a retry may fix, from one that is not what the API promises.
func (r *responseReader) explain(err error) error {
	var syntactic *jsontext.SyntacticError
	switch {
	case err == nil:
		return nil
	case r.err != nil:
		return fmt.Errorf("reading the response: %w", r.err)
	case errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF):
		return fmt.Errorf("truncated response: %w", io.ErrUnexpectedEOF)
	case errors.As(err, &syntactic):
		return fmt.Errorf("%w: not JSON: %w", ErrMalformed, syntactic)
	}
	return err
}
