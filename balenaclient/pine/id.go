package pine

// ID is the id of a row of T. Its type keeps the id of one resource from being used for another; untyped constants fit all of them.
type ID[T any] int64

// IDs returns ids of rows of T. It is for ids that come from elsewhere, such as [RowsError.IDs].
func IDs[T any](ids []int64) []ID[T] {
	typed := make([]ID[T], len(ids))
	for i, id := range ids {
		typed[i] = ID[T](id)
	}
	return typed
}
