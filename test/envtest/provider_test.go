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

package envtest

import (
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"time"

	. "github.com/onsi/gomega"

	carbonv1alpha1 "github.com/ecotracker-dev/ecotracker-operator/api/v1alpha1"
)

// provider plays the Carbon Intensity API of Great Britain: the forecast is 200 but for one slot, and
// slots that ended have actual values a gram above it.
type provider struct {
	w      *world
	broken func() *http.Response
	green  time.Time
	// ahead is how many half hours are forecast, from now on; 96 when unset.
	ahead int
	// gap is the start of a slot of which nothing is known.
	gap time.Time
	// noHistory refuses to tell the last 14 days.
	noHistory bool
	// calls for forecasts, and for the last 14 days.
	calls, histories int
}

func (p *provider) isHistory(r *http.Request) bool {
	return strings.HasSuffix(r.URL.Path, p.w.clock.Now().UTC().Truncate(30*time.Minute).Format("/2006-01-02T15:04Z"))
}

func (p *provider) RoundTrip(r *http.Request) (*http.Response, error) {
	if p.broken == nil && p.isHistory(r) {
		p.histories++
	} else {
		p.calls++
	}
	if p.noHistory && p.isHistory(r) {
		return answer(http.StatusForbidden, ""), nil
	}
	if p.broken != nil {
		response := p.broken()
		response.Request = r
		return response, nil
	}
	parts := strings.Split(r.URL.Path, "/")
	from, err := time.Parse("2006-01-02T15:04Z", parts[len(parts)-2])
	Expect(err).NotTo(HaveOccurred())
	var slots []any
	ahead := 96
	if p.ahead != 0 {
		ahead = p.ahead
	}
	for i := range 96 + ahead {
		start := from.Add(time.Duration(i) * 30 * time.Minute)
		intensity := map[string]any{"forecast": 200, "actual": nil}
		if start.Equal(p.green) {
			intensity["forecast"] = 50
		}
		if end := start.Add(30 * time.Minute); !end.After(p.w.clock.Now()) {
			intensity["actual"] = 201
		}
		if start.Equal(p.gap) {
			intensity = map[string]any{"forecast": nil, "actual": nil}
		}
		slots = append(slots, map[string]any{
			"from": start.Format("2006-01-02T15:04Z"), "to": start.Add(30 * time.Minute).Format("2006-01-02T15:04Z"), "intensity": intensity,
		})
	}
	body, err := json.Marshal(map[string]any{"data": slots})
	Expect(err).NotTo(HaveOccurred())
	return answer(http.StatusOK, string(body)), nil
}

func answer(code int, body string, header ...string) *http.Response {
	response := &http.Response{StatusCode: code, Body: io.NopCloser(strings.NewReader(body)), Header: http.Header{}}
	for i := 0; i+1 < len(header); i += 2 {
		response.Header.Set(header[i], header[i+1])
	}
	return response
}

// tokens notes which tokens were sent.
type tokens struct {
	next http.RoundTripper
	sent *[]string
}

func (t tokens) RoundTrip(r *http.Request) (*http.Response, error) {
	*t.sent = append(*t.sent, r.Header.Get("auth-token"))
	return t.next.RoundTrip(r)
}

func newProvider(w *world) *provider {
	p := &provider{w: w}
	w.sources = &http.Client{Transport: p}
	w.restart()
	return p
}

var uk = carbonv1alpha1.IntensitySource{UKCarbonIntensity: &carbonv1alpha1.UKCarbonIntensitySource{}}
