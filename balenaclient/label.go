package balenaclient

import "fmt"

// label is how a row prints: by name if that was fetched, so that no secret is printed by accident.
func label(noun string, id int64, name string) string {
	if name == "" {
		return fmt.Sprintf("%s %d", noun, id)
	}
	return name
}
