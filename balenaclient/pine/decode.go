package pine

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"reflect"
)

// decodeRows reads {"d":[row, …]} from a stream and hands over one row after the other, so that an answer is never held as a whole.
//
// A row that does not fit T is handed over with an error, and reading goes on behind it; its id may then be 0. If accept returns an
// error, reading ends with it.
func decodeRows[T any](body io.Reader, accept func(row T, id int64, unfit error) error) error {
	source := &failureReader{reader: body}
	decoder := json.NewDecoder(source)
	if err := enterRows(decoder); err != nil {
		return source.explain(err)
	}
	shape := shapeOf[T]()
	for decoder.More() {
		var row T
		err := decoder.Decode(&row)
		if err != nil && !source.isUnfit(err) {
			return source.explain(err)
		}
		if err := accept(row, shape.id(reflect.ValueOf(&row).Elem()), err); err != nil {
			return err
		}
	}
	for range 2 { // ] and }
		if _, err := decoder.Token(); err != nil {
			return source.explain(err)
		}
	}
	return nil
}

// enterRows reads up to the first row.
func enterRows(decoder *json.Decoder) error {
	for _, want := range []json.Token{json.Delim('{'), "d", json.Delim('[')} {
		token, err := decoder.Token()
		if err != nil {
			return err
		}
		if token != want {
			return fmt.Errorf(`%w: it does not start with {"d":[`, ErrMalformed)
		}
	}
	return nil
}

// decodeCount reads {"d":n}.
func decodeCount(body io.Reader) (int, error) {
	var answer struct {
		D *int `json:"d"`
	}
	if err := decodeDocument(body, &answer); err != nil {
		return 0, err
	}
	if answer.D == nil {
		return 0, fmt.Errorf(`%w: it holds no {"d":number}`, ErrMalformed)
	}
	return *answer.D, nil
}

// decodeDocument reads one JSON value.
func decodeDocument(body io.Reader, into any) error {
	source := &failureReader{reader: body}
	err := json.NewDecoder(source).Decode(into)
	switch {
	case err == nil:
		return nil
	case source.isUnfit(err):
		return fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	return source.explain(err)
}

// failureReader remembers why reading failed, which tells the errors of a connection from those of a decoder.
type failureReader struct {
	reader io.Reader
	err    error // never io.EOF
}

func (r *failureReader) Read(p []byte) (int, error) {
	n, err := r.reader.Read(p)
	if err != nil && err != io.EOF {
		r.err = err
	}
	return n, err
}

// isUnfit reports whether err concerns one value of an otherwise sound stream. The decoder then stands behind that value.
func (r *failureReader) isUnfit(err error) bool {
	var syntax *json.SyntaxError
	return r.err == nil && !errors.As(err, &syntax) && !brokeOff(err)
}

// explain says whether a stream failed or broke off, which a repetition may mend, or is not what was promised.
func (r *failureReader) explain(err error) error {
	var syntax *json.SyntaxError
	switch {
	case r.err != nil:
		return fmt.Errorf("reading the answer: %w", r.err)
	case brokeOff(err):
		return fmt.Errorf("the answer broke off: %w", io.ErrUnexpectedEOF)
	case errors.As(err, &syntax):
		return fmt.Errorf("%w: not JSON: %w", ErrMalformed, err)
	}
	return err
}

func brokeOff(err error) bool {
	return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)
}
