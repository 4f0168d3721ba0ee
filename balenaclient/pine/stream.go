package pine

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"net/http"
	"time"
)

// maxLineSize bounds a line of a stream.
const maxLineSize = 1 << 20

// Lines streams an answer that does not end, line by line and without the line ends; an empty line is a sign of life. The path is
// relative to the base URL. A line is valid until the next one.
//
// The sequence ends with an error, always last; that is [io.EOF] if the server ended the stream, and [ErrSilent] if it sent nothing
// for as long as silence says, from the request on. Neither [Config.RequestTimeout] nor the HTTP client's Timeout cut a stream, but a
// ResponseHeaderTimeout of the caller's transport would. A stream that failed is not
// repeated: its reader knows where to go on.
func Lines(ctx context.Context, c *Client, path string, silence time.Duration) iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		enough := false
		err := c.send(ctx, request{
			method:   http.MethodGet,
			resource: pathOf(path),
			target:   func() string { return path },
			silence:  silence,
			read: func(body io.Reader, _ func(error) error) (lines int, err error) {
				scanner := bufio.NewScanner(body)
				scanner.Buffer(nil, maxLineSize)
				for scanner.Scan() {
					if lines++; !yield(scanner.Bytes(), nil) {
						enough = true
						return lines, nil
					}
				}
				err = scanner.Err()
				if errors.Is(err, bufio.ErrTooLong) {
					err = fmt.Errorf("%w: a line is longer than %d bytes", ErrTooLarge, maxLineSize)
				}
				return lines, err
			},
		})
		switch {
		case enough:
		case err == nil:
			yield(nil, io.EOF)
		default:
			yield(nil, err)
		}
	}
}
