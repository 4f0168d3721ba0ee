package pine

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"reflect"
	"strings"
)

// rowBufferSize is how much of an answer is read at once; the buffer grows for rows that are larger.
const rowBufferSize = 32 << 10

// opening is how an answer with rows begins.
const opening = `{"d":[`

// parseRows reads the rows of an answer for as long as the parser can. It returns what is left: the same answer, as if it began with the
// first row that was not read, or with the end of the rows.
func parseRows[T any](body io.Reader, maxRow int, accept func(row T, id int64, unfit error) error) (rest io.Reader, err error) {
	if targetsOf[T]() == nil {
		return body, nil
	}
	r := &rowReader{body: body, maxRow: maxRow}
	for !r.take('{') || !r.word(`"d"`) || !r.take(':') || !r.take('[') {
		if !r.more(0) {
			return r.unread(""), nil
		}
	}
	shape, row, first := shapeOf[T](), new(T), true
	into := reflect.ValueOf(row).Elem()
	for {
		start := r.at
		if sound := (first || r.take(',')) && parseRow(&r.parser, row, 0); !sound {
			into.SetZero()
			if r.more(start) {
				continue
			}
			return r.unreadRows(first)
		}
		first = false
		var unfit error
		id := shape.id(into)
		switch {
		case shape.idIndex != nil && id == 0:
			unfit = errors.New("row has no id")
		case shape.extra != nil:
			unfit = shape.keepExtra(into, r.text[start:r.at])
		}
		if err := accept(*row, id, unfit); err != nil {
			return nil, err
		}
		into.SetZero()
	}
}

// rowReader feeds a parser from a stream.
type rowReader struct {
	parser
	body   io.Reader
	maxRow int
	buffer []byte // what text is a part of
	failed error  // why the body ended, io.EOF if it came to its end
}

// more goes back to where something began, and reads on if the text ended before it did. It is false if that cannot help.
func (r *rowReader) more(start int) bool {
	kept := r.text[start:]
	r.at = 0
	if !r.short || r.failed != nil || len(kept) > r.maxRow {
		r.text = kept
		return false
	}
	r.short = false
	if 2*len(kept) >= len(r.buffer) {
		r.buffer = make([]byte, max(rowBufferSize, 4*len(kept)))
	}
	r.text = r.buffer[:copy(r.buffer, kept)]
	// At least as much again: what was kept is parsed anew, and that must not happen too often.
	for len(r.text) <= 2*len(kept) && r.failed == nil {
		var n int
		n, r.failed = r.body.Read(r.buffer[len(r.text):])
		r.text = r.buffer[:len(r.text)+n]
	}
	return len(r.text) > len(kept)
}

// unread returns what was not read, behind another beginning.
func (r *rowReader) unread(beginning string) io.Reader {
	left := []io.Reader{strings.NewReader(beginning), bytes.NewReader(r.text), r.body}
	if r.failed != nil {
		left[2] = failedReader{r.failed}
	}
	return io.MultiReader(left...)
}

// unreadRows returns what was not read as if it were the first rows of an answer. A comma that is too many stays, one that is missing is
// an error.
func (r *rowReader) unreadRows(first bool) (io.Reader, error) {
	if first {
		return r.unread(opening), nil
	}
	r.space()
	switch {
	case r.at == len(r.text) || r.text[r.at] == ']':
		return r.unread(opening), nil
	case r.text[r.at] != ',':
		return nil, fmt.Errorf("%w: not JSON: expected comma after array element", ErrMalformed)
	}
	comma := r.at
	r.at++
	if r.space(); r.at == len(r.text) || r.text[r.at] != ']' {
		r.text = r.text[comma+1:]
	}
	return r.unread(opening), nil
}

// failedReader fails as another reader did.
type failedReader struct{ err error }

func (f failedReader) Read([]byte) (int, error) { return 0, f.err }
