package receiver

import (
	"context"
	"fmt"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/extension/xextension/storage"
)

// openStorage opens one of a receiver's storages in the storage extension with an ID.
func openStorage(ctx context.Context, host component.Host, id, receiver component.ID, name string) (storage.Client, error) {
	extension, found := host.GetExtensions()[id]
	if !found {
		return nil, fmt.Errorf(`"storage" is %q: there is no such extension; add it to "extensions" and to "service::extensions"`, id)
	}
	provider, ok := extension.(storage.Extension)
	if !ok {
		return nil, fmt.Errorf(`"storage" is %q: this is not a storage extension, such as "file_storage"`, id)
	}
	client, err := provider.GetClient(ctx, component.KindReceiver, receiver, name)
	if err != nil {
		return nil, fmt.Errorf(`"storage" %q: %w`, id, err)
	}
	return client, nil
}
