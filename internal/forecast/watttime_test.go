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
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"strings"
	"testing"
	"time"
)

// wattTime plays the API: it knows one account, hands out numbered tokens and takes only the last.
type wattTime struct {
	bodies   map[string]string
	refuse   map[string]int // HTTP status by the last part of the path
	logins   int
	token    string
	requests []*http.Request
}

func (w *wattTime) RoundTrip(r *http.Request) (*http.Response, error) {
	w.requests = append(w.requests, r)
	what := r.URL.Path[strings.LastIndex(r.URL.Path, "/")+1:]
	reply := func(status int, body string) (*http.Response, error) {
		return &http.Response{StatusCode: status, Body: io.NopCloser(strings.NewReader(body)), Header: http.Header{}, Request: r}, nil
	}
	if status := w.refuse[what]; status != 0 {
		return reply(status, "s3cret words")
	}
	if what == "login" {
		w.logins++
		if user, password, _ := r.BasicAuth(); user != "me" || password != "s3cret" {
			return reply(http.StatusUnauthorized, "")
		}
		w.token = fmt.Sprintf("jwt-%d", w.logins)
		return reply(http.StatusOK, fmt.Sprintf(`{"token":%q}`, w.token))
	}
	if r.Header.Get("Authorization") != "Bearer "+w.token {
		return reply(http.StatusUnauthorized, "")
	}
	return reply(http.StatusOK, w.bodies[what])
}

func (w *wattTime) source() (WattTime, *http.Client) {
	login := &WattTimeLogin{Credentials: func(context.Context) (string, string, error) { return "me", "s3cret", nil }}
	return WattTime{Region: "CAISO_NORTH", Login: login}, &http.Client{Transport: w}
}

const (
	wtMeta = `"meta":{"data_point_period_seconds":300,"region":"CAISO_NORTH","warnings":[],"signal_type":"co2_moer",
		"model":{"date":"2023-03-01"},"units":"lbs_co2_per_mwh","generated_at_period_seconds":300,"generated_at":"2022-07-15T00:10:00+00:00"}`
	wtForecast = `{"data":[{"point_time":"2022-07-15T00:10:00+00:00","value":1048.41},
		{"point_time":"2022-07-15T00:15:00+00:00","value":1051.09},{"point_time":"2022-07-15T00:25:00+00:00","value":0}],` + wtMeta + `}`
	wtHistorical = `{"data":[{"point_time":"2022-07-15T00:00:00+00:00","value":870.0},
		{"point_time":"2022-07-15T00:05:00+00:00","value":null},{"point_time":"2022-07-15T00:10:00+00:00","value":1000}],` + wtMeta + `}`
)

var wtNow = time.Date(2022, 7, 15, 0, 12, 0, 0, time.UTC)

func TestWattTime(t *testing.T) {
	w := &wattTime{bodies: map[string]string{"forecast": wtForecast, "historical": wtHistorical}}
	source, client := w.source()
	trace, err := source.Read(t.Context(), client, wtNow.In(time.FixedZone("PDT", -7*3600)))
	if err != nil {
		t.Fatal(err)
	}
	if !trace.Forecast.Start.Equal(time.Date(2022, 7, 15, 0, 0, 0, 0, time.UTC)) || trace.Forecast.Step != 5*time.Minute {
		t.Errorf("%+v", trace.Forecast)
	}
	unknown := math.NaN()
	for _, c := range []struct {
		name      string
		got, want []float64
	}{
		// 870 x 0.45359237, 1000 x and 1051.09 x, by hand.
		{"forecast", trace.Forecast.Grams, []float64{394.6253619, unknown, 453.59237, 476.7664041833, unknown, 0}},
		{"actual", trace.Actual.Grams, []float64{394.6253619, unknown, 453.59237, unknown, unknown, unknown}},
	} {
		for i, g := range c.want {
			if i >= len(c.got) || math.Abs(c.got[i]-g) > 1e-9 || math.IsNaN(c.got[i]) != math.IsNaN(g) {
				t.Errorf("%s: got %v, want %v", c.name, c.got, c.want)
				break
			}
		}
	}
	want := []string{
		"/login?", "/v3/forecast?horizon_hours=72&region=CAISO_NORTH&signal_type=co2_moer",
		"/v3/historical?end=2022-07-15T00%3A12%3A00Z&region=CAISO_NORTH&signal_type=co2_moer&start=2022-07-13T00%3A12%3A00Z",
	}
	for i, r := range w.requests {
		if got := r.URL.Path + "?" + r.URL.RawQuery; r.URL.Host != "api.watttime.org" || got != want[i] {
			t.Errorf("request %d went to %s, want %s", i, r.URL, want[i])
		}
	}
	past, err := source.History(t.Context(), client, wtNow)
	if err != nil || len(past.Grams) != 3 || !math.IsNaN(past.Grams[1]) || w.logins != 1 {
		t.Errorf("history %v, %v after %d logins", past.Grams, err, w.logins)
	}
}

func TestWattTimeLogsInWhenItMust(t *testing.T) {
	w := &wattTime{bodies: map[string]string{"forecast": wtForecast, "historical": wtHistorical}}
	source, client := w.source()
	read := func(after time.Duration, logins int, problem string) {
		t.Helper()
		_, err := source.Read(t.Context(), client, wtNow.Add(after))
		got := ""
		if failure, ok := errors.AsType[*SourceError](err); ok {
			got = failure.Problem
		}
		if w.logins != logins || got != problem {
			t.Errorf("after %s: %d logins, %v", after, w.logins, err)
		}
	}
	const forbidden, busy = "it answered with HTTP status 403", "it answered with HTTP status 429"
	read(0, 1, "")
	read(20*time.Minute, 1, "")
	read(29*time.Minute, 2, "") // its life is over
	w.token = "revoked"
	read(35*time.Minute, 3, "") // once more, and then it works
	w.refuse = map[string]int{"forecast": http.StatusForbidden}
	read(40*time.Minute, 4, forbidden) // another token does not help
	for range 20 {
		read(40*time.Minute+30*time.Second, 4, forbidden) // and is not asked for again and again
	}
	w.refuse = map[string]int{"login": http.StatusTooManyRequests}
	w.token = "revoked"
	read(50*time.Minute, 4, busy)
	w.refuse = nil
	read(50*time.Minute+59*time.Second, 4, busy) // what failed is left alone for a minute
	read(51*time.Minute, 5, "")
}

func TestWattTimeSharesALogin(t *testing.T) {
	w := &wattTime{bodies: map[string]string{"forecast": wtForecast, "historical": wtHistorical}}
	source, client := w.source()
	errs := make(chan error, 20)
	_, err := source.Login.token(t.Context(), client, wtNow, "")
	if err != nil {
		t.Fatal(err)
	}
	for range cap(errs) {
		go func() {
			_, err := source.Login.token(t.Context(), client, wtNow, "")
			errs <- err
		}()
	}
	for range cap(errs) {
		if err := <-errs; err != nil {
			t.Error(err)
		}
	}
	if w.logins != 1 {
		t.Errorf("%d logins", w.logins)
	}
}

// TestWattTimeLoginThatHangs holds that whoever waits for another one's login waits no longer than it may.
func TestWattTimeLoginThatHangs(t *testing.T) {
	started, done := make(chan struct{}), make(chan error, 1)
	source := WattTime{Login: &WattTimeLogin{Credentials: func(ctx context.Context) (string, string, error) {
		close(started)
		<-ctx.Done()
		return "", "", ctx.Err()
	}}}
	hung, end := context.WithCancel(t.Context())
	go func() {
		_, err := source.Login.token(hung, nil, wtNow, "")
		done <- err
	}()
	<-started
	impatient, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := source.Login.token(impatient, nil, wtNow, ""); err == nil || err.Error() != "its login did not answer in time" {
		t.Errorf("got %v", err)
	}
	end()
	if err := <-done; err == nil {
		t.Error("the login that hung has succeeded")
	}
}

func TestWattTimeRefuses(t *testing.T) {
	changed := func(old, with string) map[string]string {
		return map[string]string{"forecast": strings.Replace(wtForecast, old, with, 1), "historical": wtHistorical}
	}
	for name, bodies := range map[string]map[string]string{
		"another region":    changed("CAISO_NORTH", "PJM_DC"),
		"another signal":    changed("co2_moer", "health_damage"),
		"another unit":      changed("lbs_co2_per_mwh", "kg_co2_per_mwh"),
		"no unit":           changed("units", "s3cret"),
		"another grid":      changed("300", "900"),
		"no grid":           changed("300", "0"),
		"off the grid":      changed("00:15:00", "00:16:00"),
		"negative":          changed("1051.09", "-1051.09"),
		"huge":              changed("1051.09", "1e9"),
		"no number":         changed("1051.09", `"s3cret"`),
		"no time":           changed("2022-07-15T00:15:00+00:00", "s3cret"),
		"HTML":              {"forecast": "<html>s3cret", "historical": wtHistorical},
		"nothing":           {"forecast": `{"data":[],` + wtMeta + "}", "historical": `{"data":[],` + wtMeta + "}"},
		"twice, not equal":  changed("00:15:00", "00:25:00"),
		"a list and no key": {"forecast": "[]", "historical": wtHistorical},
	} {
		w := &wattTime{bodies: bodies}
		source, client := w.source()
		trace, err := source.Read(t.Context(), client, wtNow)
		failure, ok := errors.AsType[*SourceError](err)
		if !ok || !failure.Malformed || strings.Contains(err.Error(), "s3cret") {
			t.Errorf("%s: got %+v, %v", name, trace, err)
		}
	}
}

func TestWattTimeLoginWithoutAToken(t *testing.T) {
	for _, body := range []string{`{}`, `{"token":""}`, `{"token":"a\nb"}`, `{"token":"ä"}`, `[]`} {
		login := &WattTimeLogin{Credentials: func(context.Context) (string, string, error) { return "me", "s3cret", nil }}
		_, err := login.token(t.Context(), &http.Client{Transport: &answering{body: body}}, wtNow, "")
		if failure, ok := errors.AsType[*SourceError](err); !ok || !failure.Malformed {
			t.Errorf("%s: %v", body, err)
		}
	}
}

func FuzzWattTime(f *testing.F) {
	f.Add([]byte(wtHistorical), []byte(wtForecast))
	f.Fuzz(func(t *testing.T, past, ahead []byte) {
		var p, a wattTimeAnswer
		if json.Unmarshal(past, &p) != nil || json.Unmarshal(ahead, &a) != nil {
			return
		}
		if p.Meta.check("CAISO_NORTH") != nil || a.Meta.check("CAISO_NORTH") != nil {
			return
		}
		trace, err := mergeWattTime(&p, &a)
		if err != nil {
			return
		}
		if len(trace.Forecast.Grams) > MaxTraceSlots || trace.Forecast.Validate() != nil {
			t.Errorf("%q and %q were taken as %+v", past, ahead, trace)
		}
	})
}
