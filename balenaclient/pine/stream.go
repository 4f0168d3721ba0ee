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

// maxLineSize limits a line of a stream, in bytes.
const maxLineSize = 1 << 20

// Lines yields the lines of a response without an end, without line ends; an empty line is a keepalive. The path is relative to the base
// URL. A line is valid until the next one.
//
// The last element is an error: [io.EOF] if the server ended the stream, [ErrSilent] if it sent nothing for the duration of silence, which
// also limits the wait for the response. The time that the caller takes for a line does not count. Neither [Config.RequestTimeout] nor
// the HTTP client's Timeout apply, but a ResponseHeaderTimeout of the caller's transport does. A stream is not retried: only its reader
// knows where to continue.
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
					err = fmt.Errorf("%w: a line has more than %d bytes", ErrTooLarge, maxLineSize)
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
