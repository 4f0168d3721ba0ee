package receiver

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.opentelemetry.io/collector/scraper/scrapererror"

	"github.com/otelcol-balena/balenareceiver/balenaclient"
)

// failure is a kind of request that failed, and why.
type failure struct {
	kind      requestKind
	errorType string
}

// The classes of errors that are not a status of the server.
const (
	errorTimeout     = "timeout"
	errorConnection  = "connection"
	errorBudget      = "budget"
	errorUndecodable = "undecodable"
	errorOther       = "other"
)

// failureList lists what failed, in the order of requestKinds.
func (r *responses) failureList() []failure {
	var list []failure
	for _, kind := range requestKinds() {
		if err := r.failures[kind]; err != nil {
			list = append(list, failure{kind, errorType(err)})
		}
	}
	return list
}

// errorType classifies an error.
func errorType(err error) string {
	var rows *balenaclient.RowsError
	var request *balenaclient.Error
	switch isRequest := errors.As(err, &request); {
	case errors.As(err, &rows):
		return errorUndecodable
	case errors.Is(err, errBudgetExhausted):
		return errorBudget
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		return errorTimeout
	case isRequest && request.Status >= 300:
		return strconv.Itoa(request.Status)
	case errors.Is(err, balenaclient.ErrMalformed), errors.Is(err, balenaclient.ErrTooLarge):
		return errorUndecodable
	case isRequest && request.Err != nil && request.Temporary():
		return errorConnection
	}
	return errorOther
}

// scrapeError says what could not be fetched and counts the points that are missing because of it.
func (s *balenaScraper) scrapeError(r *responses, missing int) error {
	if len(r.failures) == 0 {
		return nil
	}
	err := &incompleteError{
		message: fmt.Sprintf("balena API at %s: %s%s", s.cfg.API.Endpoint, r.describeFailures(), s.remedy(r)),
		causes:  slices.Collect(maps.Values(r.failures)),
	}
	return scrapererror.NewPartialScrapeError(err, missing)
}

// incompleteError says on one line why a scrape is incomplete.
type incompleteError struct {
	message string
	causes  []error
}

func (e *incompleteError) Error() string { return e.message }

// Unwrap returns the failures of the single requests.
func (e *incompleteError) Unwrap() []error { return e.causes }

// describeFailures says what failed, kinds with the same cause together.
func (r *responses) describeFailures() string {
	var causes []string
	kinds := map[string][]string{}
	for _, kind := range requestKinds() {
		if err := r.failures[kind]; err != nil {
			cause := causeOf(err)
			if kinds[cause] == nil {
				causes = append(causes, cause)
			}
			kinds[cause] = append(kinds[cause], string(kind))
		}
	}
	for i, cause := range causes {
		causes[i] = strings.Join(kinds[cause], ", ") + ": " + cause
	}
	return strings.Join(causes, "; ")
}

// causeOf says why a request failed. It does not name the path of a request that was never sent.
func causeOf(err error) string {
	var request *balenaclient.Error
	if errors.As(err, &request) && request.Attempts == 0 && errors.Is(err, balenaclient.ErrRateLimited) {
		return "not requested, because the API had asked to wait for " + request.RetryAfter.Round(time.Second).String()
	}
	return err.Error()
}

// missingPoints is a lower bound of the points that failed requests cost: one for each metric that needed what is missing. A comparison
// with the last complete scrape may give a better one.
func (r *responses) missingPoints() int {
	missing := 0
	for kind, err := range r.failures {
		missing += r.missingPointsOf(kind, err)
	}
	return missing
}

func (r *responses) missingPointsOf(kind requestKind, err error) int {
	var rows *balenaclient.RowsError
	if errors.As(err, &rows) && kind == deviceRequest {
		return rows.Rows * max(1, r.plan.pointsPerDevice)
	}
	if errors.As(err, &rows) {
		return rows.Rows
	}
	switch kind {
	case credentialRequest, fleetRequest:
		missing := 0
		for _, metrics := range r.plan.metrics {
			missing += metrics
		}
		return max(1, missing)
	case deviceCountRequest:
		return max(1, len(r.fleets))
	}
	return max(1, r.plan.metrics[kind])
}

// remedy says what the operator can do about failures that do not resolve on their own.
func (s *balenaScraper) remedy(r *responses) string {
	// A 401 for anything else may also mean that the user has no access to it, or that the server does not know it.
	if errors.Is(r.failures[credentialRequest], balenaclient.ErrUnauthorized) {
		return fmt.Sprintf(": the API rejects the credentials: they are wrong, expired or revoked; set a valid API key in %s", s.credentialKey())
	}
	for _, kind := range requestKinds() {
		switch err := r.failures[kind]; {
		case errors.Is(err, balenaclient.ErrUnauthorized), errors.Is(err, balenaclient.ErrForbidden):
			return fmt.Sprintf(": the credentials are valid, but do not give access to %s: give the user access, or disable the metrics that need them", kind)
		case errors.Is(err, balenaclient.ErrRedirected), errors.Is(err, balenaclient.ErrNotFound):
			return `: set "api::endpoint" to the API itself, such as ` + defaultEndpoint
		case errors.Is(err, balenaclient.ErrTooLarge):
			return `: set a smaller "page_size"`
		case errors.Is(err, errBudgetExhausted):
			return `: increase "request_budget" or "collection_interval", or disable metrics that need devices`
		case errors.Is(err, context.DeadlineExceeded):
			return `: the API took too long; increase "api::timeout" or "collection_interval", or disable metrics that need devices`
		}
	}
	return ""
}

func (s *balenaScraper) credentialKey() string {
	switch {
	case s.cfg.TokenFile != "":
		return `the file that "token_file" names`
	case s.cfg.API.Auth.HasValue():
		return `the extension that "api::auth" names`
	}
	return `"token"`
}
