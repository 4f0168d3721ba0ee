// Command healthcheck asks a Collector in the same container for its health, for images that have no shell and no curl.
// It exits with 0 if the Collector is healthy.
package main

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"time"
)

func main() {
	if err := check(os.Getenv("BALENA_HEALTH_ENDPOINT")); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// check asks at the port of the address that the Collector listens on; by default that of the configurations in distribution/.
func check(listen string) error {
	if listen == "" {
		listen = "localhost:13133"
	}
	_, port, err := net.SplitHostPort(listen)
	if err != nil {
		return fmt.Errorf("BALENA_HEALTH_ENDPOINT: want host:port: %w", err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	url := "http://" + net.JoinHostPort("localhost", port) + "/status"
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return fmt.Errorf("ask for health: %w", err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return fmt.Errorf("ask for health: %w", err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("unhealthy: %s responded %s", url, response.Status)
	}
	return nil
}
