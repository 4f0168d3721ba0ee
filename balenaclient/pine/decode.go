package pine

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"reflect"
)

// decodeRows reads {"d":[row, …]} from a stream and hands over one row after the other, so that an answer is never held as a whole.
//
// A row that does not fit T is handed over with an error, and reading goes on behind it; its id is 0 if even that cannot be read. If
// accept returns an error, reading ends with it.
//
// As long as rows are sound it is our own parser that reads them. From the first one on that is not, encoding/json does.
func decodeRows[T any](body io.Reader, maxRow int, accept func(row T, id int64, unfit error) error) error {
	rest, err := parseRows(body, maxRow, accept)
	if err != nil {
		return err
	}
	return decodeRest(rest, maxRow, accept)
}

// decodeRest reads an answer with encoding/json.
func decodeRest[T any](body io.Reader, maxRow int, accept func(row T, id int64, unfit error) error) error {
	source := &answerReader{reader: body, maxKept: maxRow}
	decoder := json.NewDecoder(source)
	if err := enterRows(decoder); err != nil {
		return source.explain(err)
	}
	shape := shapeOf[T]()
	for decoder.More() {
		source.mark = decoder.InputOffset()
		row := new(T)
		err := decoder.Decode(&row)
		if err != nil && !source.isUnfit(err) {
			return source.explain(err)
		}
		if row == nil {
			row, err = new(T), errors.New("row is null")
		}
		id := shape.id(reflect.ValueOf(row).Elem())
		switch {
		case err != nil:
			id = idOf(source.sinceMark(decoder.InputOffset()))
		case shape.idIndex != nil && id == 0:
			err = errors.New("row has no id")
		case shape.extra != nil:
			err = shape.keepExtra(reflect.ValueOf(row).Elem(), source.sinceMark(decoder.InputOffset()))
		}
		if err := accept(*row, id, err); err != nil {
			return err
		}
	}
	return source.explain(leaveRows(decoder))
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

// leaveRows reads what stands behind the last row, to the end of the answer.
func leaveRows(decoder *json.Decoder) error {
	if _, err := decoder.Token(); err != nil { // ]
		return err
	}
	for decoder.More() { // members that we do not know
		if _, err := decoder.Token(); err != nil {
			return err
		}
		if err := decoder.Decode(new(json.RawMessage)); err != nil {
			return err
		}
	}
	if _, err := decoder.Token(); err != nil { // }
		return err
	}
	return expectEnd(decoder)
}

// expectEnd reads to the end of the answer, which also lets the connection be used again.
func expectEnd(decoder *json.Decoder) error {
	switch _, err := decoder.Token(); err {
	case io.EOF:
		return nil
	case nil:
		return fmt.Errorf("%w: it goes on behind its end", ErrMalformed)
	default:
		return err
	}
}

// idOf returns the id of a row that does not fit its type, as far as it can be read. The decoder gives up such a row in the middle.
func idOf(row []byte) int64 {
	var known struct {
		ID int64 `json:"id"`
	}
	_ = json.Unmarshal(bytes.TrimLeft(row, ", \t\r\n"), &known)
	return known.ID
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
	source := &answerReader{reader: body, maxKept: DefaultMaxRowSize}
	decoder := json.NewDecoder(source)
	err := decoder.Decode(into)
	switch {
	case err == nil:
		return source.explain(expectEnd(decoder))
	case source.isUnfit(err):
		return fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	return source.explain(err)
}

// answerReader remembers why reading failed, which tells the errors of a connection from those of a decoder, and what was read since
// a mark.
type answerReader struct {
	reader  io.Reader
	err     error  // never io.EOF
	mark    int64  // offset in the answer
	kept    []byte // the answer from keptAt on, where keptAt <= mark
	maxKept int
	keptAt  int64
}

func (r *answerReader) Read(p []byte) (int, error) {
	r.kept = r.kept[:copy(r.kept, r.kept[r.mark-r.keptAt:])]
	r.keptAt = r.mark
	n, err := r.reader.Read(p)
	r.kept = append(r.kept, p[:n]...)
	if len(r.kept) > r.maxKept && err == nil {
		err = fmt.Errorf("%w: a row of more than %d bytes", ErrTooLarge, r.maxKept)
	}
	if err != nil && err != io.EOF {
		r.err = err
	}
	return n, err
}

// sinceMark returns what was read between the mark and an offset.
func (r *answerReader) sinceMark(end int64) []byte { return r.kept[r.mark-r.keptAt : end-r.keptAt] }

// isUnfit reports whether err concerns one value of an otherwise sound stream. The decoder then stands behind that value.
func (r *answerReader) isUnfit(err error) bool {
	var syntax *json.SyntaxError
	return r.err == nil && !errors.As(err, &syntax) && !brokeOff(err)
}

// explain says whether a stream failed or broke off, which a repetition may mend, or is not what was promised.
func (r *answerReader) explain(err error) error {
	var syntax *json.SyntaxError
	switch {
	case err == nil:
		return nil
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
