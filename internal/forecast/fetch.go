/*
Copyright 2026 The EcoTracker Authors.

Licensed under the Apache License, Version 2.0 (the "License");
you may not use this file except in compliance with the License.
You may obtain a copy of the License at

    http://www.apache.org/licenses/LICENSE-2.0

Unless required by applicable law or agreed to in writing, software
distributed under the License is distributed on an "AS IS" BASIS,
WITHOUT WARRANTIES OR CONDITIONS OF ANY KIND, either express or implied.
See the License for the specific language governing permissions and
limitations under the License.
*/

package forecast

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"time"
)

// MaxBody is the most that is read of an answer, in bytes after decompression.
const MaxBody = 1 << 20

// SourceError says what is wrong with a source. It holds nothing of what the source answered: an
// answer may hold anything, and errors end up in conditions and logs.
type SourceError struct {
	// Problem in words.
	Problem string
	// Malformed says that the source did answer, but not with what it promises.
	Malformed bool
	// Refused says that the credentials are missing, not accepted, or do not allow this.
	Refused bool
	// RetryAfter is how long the source asks to be left alone; zero when it does not say.
	RetryAfter time.Duration
}

func (e *SourceError) Error() string { return e.Problem }

func malformed(format string, args ...any) *SourceError {
	return &SourceError{Problem: fmt.Sprintf(format, args...), Malformed: true}
}

// fetchJSON gets a URL, with further headers, and decodes its answer.
func fetchJSON(ctx context.Context, client *http.Client, address string, now time.Time, into any, headers ...http.Header) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, http.NoBody)
	if err != nil {
		return fmt.Errorf("building a request: %w", err)
	}
	request.Header.Set("Accept", "application/json")
	request.Header.Set("User-Agent", "ecotracker-operator")
	for _, header := range headers {
		maps.Copy(request.Header, header)
	}
	response, err := client.Do(request)
	if err != nil {
		return unreachable(ctx, err)
	}
	defer func() { _ = response.Body.Close() }() // what was read counts
	if response.StatusCode != http.StatusOK {
		return &SourceError{
			Problem:    fmt.Sprintf("it answered with HTTP status %d", response.StatusCode),
			Refused:    response.StatusCode == http.StatusUnauthorized || response.StatusCode == http.StatusForbidden,
			RetryAfter: retryAfter(response.Header.Get("Retry-After"), now),
		}
	}
	body, err := io.ReadAll(io.LimitReader(response.Body, MaxBody+1))
	if err == nil {
		err = ctx.Err() // a server that sees us go may end its answer as if that were all
	}
	if err != nil {
		return unreachable(ctx, err)
	}
	if len(body) > MaxBody {
		return malformed("its answer is larger than %d bytes", MaxBody)
	}
	if json.Unmarshal(body, into) != nil {
		return malformed("its answer is not the JSON that it promises")
	}
	return nil
}

// unreachable tells why a call failed without its URL, which may hold a secret.
func unreachable(ctx context.Context, err error) *SourceError {
	if inURL, ok := errors.AsType[*url.Error](err); ok {
		err = inURL.Err
	}
	if ctx.Err() != nil || errors.Is(err, context.DeadlineExceeded) {
		return &SourceError{Problem: "it did not answer in time"}
	}
	// The same failure must always read the same: no addresses, no ports, no times.
	if _, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		return &SourceError{Problem: "it cannot be reached: " + certificateProblem(err)}
	}
	if _, ok := errors.AsType[*net.DNSError](err); ok {
		return &SourceError{Problem: "it cannot be reached: its name cannot be resolved"}
	}
	return &SourceError{Problem: "it cannot be reached: " + connectionProblem(err)}
}

// connectionProblem is told in words that cannot come from the source: an error of net/http may quote what
// it could not read.
func connectionProblem(err error) string {
	if ours, ok := errors.AsType[refusal](err); ok {
		return ours.Error()
	}
	if inSystem, ok := errors.AsType[*os.SyscallError](err); ok {
		return inSystem.Error()
	}
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return "the connection was cut"
	}
	return "the connection failed"
}

// certificateProblem leaves out what the certificate says: anybody can write anything into one.
func certificateProblem(err error) string {
	if invalid, ok := errors.AsType[x509.CertificateInvalidError](err); ok && invalid.Reason == x509.Expired {
		return "its certificate has expired or is not valid yet"
	}
	if _, ok := errors.AsType[x509.HostnameError](err); ok {
		return "its certificate is for another name"
	}
	if _, ok := errors.AsType[x509.UnknownAuthorityError](err); ok {
		return "its certificate is signed by nobody who is trusted"
	}
	return "its certificate is not valid"
}

// retryAfter understands both forms of the header: seconds and a date.
func retryAfter(header string, now time.Time) time.Duration {
	if seconds, err := strconv.Atoi(header); err == nil && seconds > 0 {
		return time.Duration(min(seconds, 24*60*60)) * time.Second
	}
	if date, err := http.ParseTime(header); err == nil {
		return min(max(0, date.Sub(now)), 24*time.Hour)
	}
	return 0
}
