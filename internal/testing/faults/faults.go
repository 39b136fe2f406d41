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

package faults

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"strconv"
	"sync"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// ErrCut is what a client sees of a request that a fault cut.
var ErrCut = errors.New("the connection was cut on purpose")

// FailBefore cuts the request before it is sent: nothing happened.
func FailBefore(_ http.RoundTripper, r *http.Request) (*http.Response, error) {
	drop(r)
	return nil, ErrCut
}

// LoseAnswer carries the request out and drops the answer: it happened, and the client cannot know.
func LoseAnswer(next http.RoundTripper, r *http.Request) (*http.Response, error) {
	// It happens whether or not the client is still there.
	response, err := next.RoundTrip(r.WithContext(context.WithoutCancel(r.Context())))
	if err == nil {
		_, err = io.Copy(io.Discard, response.Body)
		err = errors.Join(err, response.Body.Close())
	}
	return nil, errors.Join(ErrCut, err)
}

// Then does something once the fault is carried out, for example kill the client.
func Then(fault Fault, do func()) Fault {
	return func(next http.RoundTripper, r *http.Request) (*http.Response, error) {
		response, err := fault(next, r)
		do()
		return response, err
	}
}

// Delay carries the request out after so long, or not at all if the client gives up before.
func Delay(d time.Duration) Fault {
	return func(next http.RoundTripper, r *http.Request) (*http.Response, error) {
		timer := time.NewTimer(d)
		defer timer.Stop()
		select {
		case <-timer.C:
			return next.RoundTrip(r)
		case <-r.Context().Done():
			drop(r)
			return nil, r.Context().Err()
		}
	}
}

// Answer answers in the API server's place with an error of the given code. A retryAfter above 0
// asks the client to come back after so many seconds.
func Answer(code int, reason metav1.StatusReason, retryAfter int) Fault {
	return func(_ http.RoundTripper, r *http.Request) (*http.Response, error) {
		drop(r)
		status := metav1.Status{
			TypeMeta: metav1.TypeMeta{Kind: "Status", APIVersion: "v1"}, Status: metav1.StatusFailure,
			Code: int32(code), Reason: reason, Message: fmt.Sprintf("answered %d on purpose", code), //nolint:gosec // an HTTP status code
		}
		if retryAfter > 0 {
			status.Details = &metav1.StatusDetails{RetryAfterSeconds: int32(retryAfter)} //nolint:gosec // a few seconds
		}
		body, err := json.Marshal(status)
		if err != nil {
			return nil, fmt.Errorf("encoding a status: %w", err)
		}
		header := http.Header{"Content-Type": {"application/json"}}
		if retryAfter > 0 {
			header.Set("Retry-After", strconv.Itoa(retryAfter))
		}
		return &http.Response{
			Status: http.StatusText(code), StatusCode: code, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
			Header: header, Body: io.NopCloser(bytes.NewReader(body)), ContentLength: int64(len(body)), Request: r,
		}, nil
	}
}

// The errors that an API server answers with under load.
var (
	Conflict        = Answer(http.StatusConflict, metav1.StatusReasonConflict, 0)
	TooManyRequests = Answer(http.StatusTooManyRequests, metav1.StatusReasonTooManyRequests, 1)
	InternalError   = Answer(http.StatusInternalServerError, metav1.StatusReasonInternalError, 0)
	Unavailable     = Answer(http.StatusServiceUnavailable, metav1.StatusReasonServiceUnavailable, 0)
)

// Sometimes carries out one of the faults with the given probability (0 to 1), chosen by the seed;
// otherwise the request passes.
func Sometimes(seed uint64, probability float64, faults ...Fault) Fault {
	var mu sync.Mutex
	random := rand.New(rand.NewPCG(seed, seed)) //nolint:gosec // it must be repeatable, not secret
	return func(next http.RoundTripper, r *http.Request) (*http.Response, error) {
		mu.Lock()
		hit, which := random.Float64() < probability, random.IntN(len(faults))
		mu.Unlock()
		if !hit {
			return next.RoundTrip(r)
		}
		return faults[which](next, r)
	}
}

// drop closes the body of a request that is not sent, as an http.RoundTripper must.
func drop(r *http.Request) {
	if r.Body != nil {
		_ = r.Body.Close() // nothing was sent, nothing can be lost
	}
}
