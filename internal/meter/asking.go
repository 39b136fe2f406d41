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

package meter

import (
	"io"
	"net/http"
)

// asking sends calls to upstreams. One that refuses a stream, maybe because the meter asked for its usage,
// gets the call once more as the client sent it, and is not asked again if it takes that: some servers
// know no stream_options.
type asking struct{ http.RoundTripper }

// RoundTrip implements http.RoundTripper.
func (a asking) RoundTrip(r *http.Request) (*http.Response, error) {
	answer, err := a.RoundTripper.RoundTrip(r)
	c := callOf(r.Context())
	if err != nil || c.plain == nil || answer.StatusCode != http.StatusBadRequest && answer.StatusCode != http.StatusUnprocessableEntity {
		return answer, err //nolint:wrapcheck // the proxy tells the client itself
	}
	_, _ = io.CopyN(io.Discard, answer.Body, maxEvent) // so that the connection can be used again
	_ = answer.Body.Close()
	c.request = &request{op: c.request.op, models: c.request.models}
	if c.request.op.model != "" {
		c.request.setModel(unescape(c.request.op.model))
	}
	again := r.Clone(r.Context())
	setBody(again, changeWhole(c.plain, c.request))
	answer, err = a.RoundTripper.RoundTrip(again)
	if err == nil && answer.StatusCode < http.StatusMultipleChoices {
		c.route.reticent.Store(true)
	}
	return answer, err //nolint:wrapcheck // as above
}
