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
	"errors"
	"fmt"
	"math"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

// WattTime is version 3 of the API of WattTime (https://docs.watttime.org): the signal co2_moer,
// marginal intensities by model in slots of five minutes. Its past values count as actual: they are
// what WattTime publishes for good, though nobody can measure a marginal intensity.
type WattTime struct {
	// Region of WattTime, such as CAISO_NORTH.
	Region string
	// Login is shared by all regions of an account.
	Login *WattTimeLogin
}

const (
	wattTimeBase   = "https://api.watttime.org"
	wattTimeSignal = "co2_moer"
	wattTimeUnit   = "lbs_co2_per_mwh"
	wattTimeHours  = 72
	wattTimePast   = 48 * time.Hour
	// gramsPerPoundPerMWh is exact: a pound is 0.45359237 kg by the international agreement of 1959. A pound
	// per MWh is as many grams per kWh.
	gramsPerPoundPerMWh = 0.45359237
)

// Name is wattTime.
func (WattTime) Name() string { return "wattTime" }

// Cadence is five minutes: so often a forecast is issued.
func (WattTime) Cadence() time.Duration { return 5 * time.Minute }

// Read asks for the next 72 hours and the last 48, in two calls, after a login when there is no token.
func (s WattTime) Read(ctx context.Context, client *http.Client, now time.Time) (Trace, error) {
	ahead, err := s.ask(ctx, client, now, "forecast", url.Values{"horizon_hours": {strconv.Itoa(wattTimeHours)}})
	if err != nil {
		return Trace{}, err
	}
	past, err := s.past(ctx, client, now, wattTimePast)
	if err != nil {
		return Trace{}, err
	}
	return mergeWattTime(&past, &ahead)
}

// History asks for the last 14 days.
func (s WattTime) History(ctx context.Context, client *http.Client, now time.Time) (Series, error) {
	past, err := s.past(ctx, client, now, HistoryDays*day)
	if err != nil {
		return Series{}, err
	}
	trace, err := mergeWattTime(&past, &wattTimeAnswer{Meta: past.Meta})
	return trace.actualElseForecast(), err
}

func (s WattTime) past(ctx context.Context, client *http.Client, now time.Time, length time.Duration) (wattTimeAnswer, error) {
	return s.ask(ctx, client, now, "historical", url.Values{
		"start": {now.Add(-length).UTC().Format(time.RFC3339)}, "end": {now.UTC().Format(time.RFC3339)},
	})
}

// ask logs in again, once, when the token is refused before its time.
func (s WattTime) ask(ctx context.Context, client *http.Client, now time.Time, what string, query url.Values) (wattTimeAnswer, error) {
	token, err := s.Login.token(ctx, client, now, "")
	if err != nil {
		return wattTimeAnswer{}, err
	}
	answer, err := s.askWith(ctx, client, now, what, query, token)
	if failure, ok := errors.AsType[*SourceError](err); !ok || !failure.Refused {
		return answer, err
	}
	another, loginErr := s.Login.token(ctx, client, now, token)
	if loginErr != nil {
		return answer, loginErr
	}
	if another == token {
		return answer, err // it is too new to be at fault
	}
	return s.askWith(ctx, client, now, what, query, another)
}

func (s WattTime) askWith(ctx context.Context, client *http.Client, now time.Time, what string, query url.Values, token string) (wattTimeAnswer, error) {
	query.Set("region", s.Region)
	query.Set("signal_type", wattTimeSignal)
	var answer wattTimeAnswer
	header := http.Header{"Authorization": {"Bearer " + token}}
	if err := fetchJSON(ctx, client, wattTimeBase+"/v3/"+what+"?"+query.Encode(), now, &answer, header); err != nil {
		return answer, err
	}
	return answer, answer.Meta.check(s.Region)
}

type wattTimeAnswer struct {
	Data []wattTimePoint `json:"data"`
	Meta wattTimeMeta    `json:"meta"`
}

// wattTimePoint has only the start of its slot, and pounds per MWh.
type wattTimePoint struct {
	PointTime string   `json:"point_time"`
	Value     *float64 `json:"value"`
}

type wattTimeMeta struct {
	Region     string `json:"region"`
	SignalType string `json:"signal_type"`
	Units      string `json:"units"`
	Period     int64  `json:"data_point_period_seconds"`
}

// check makes sure that the answer is about what was asked for, in the unit that is converted.
func (m wattTimeMeta) check(region string) error {
	switch {
	case m.Region != region:
		return malformed("its answer is about another region")
	case m.SignalType != wattTimeSignal:
		return malformed("its answer is about another signal than %s", wattTimeSignal)
	case m.Units != wattTimeUnit:
		return malformed("its answer is in another unit than %s", wattTimeUnit)
	case m.Period < 60 || m.Period > 3600:
		return malformed("its slots are not from a minute to an hour long")
	}
	return nil
}

// mergeWattTime puts both answers on one grid. Where both know a slot, the past one counts.
func mergeWattTime(past, ahead *wattTimeAnswer) (Trace, error) {
	if past.Meta.Period != ahead.Meta.Period {
		return Trace{}, malformed("its past and its forecast are on different grids")
	}
	rows, err := past.rows("past", true)
	if err != nil {
		return Trace{}, err
	}
	known := map[time.Time]bool{}
	for _, row := range rows {
		known[row.from] = true
	}
	future, err := ahead.rows("forecast", false)
	if err != nil {
		return Trace{}, err
	}
	for _, row := range future {
		if !known[row.from] {
			rows = append(rows, row)
		}
	}
	trace, err := assemble(dropRepeated(rows), len(known) > 0)
	if err != nil {
		return Trace{}, malformed("%v", err)
	}
	return trace, nil
}

// rows leaves out points without a value.
func (a *wattTimeAnswer) rows(kind string, actual bool) ([]traceRow, error) {
	step := time.Duration(a.Meta.Period) * time.Second
	var rows []traceRow
	for i, point := range a.Data {
		where := fmt.Sprintf("point %d of its %s", i+1, kind)
		from, err := parseTime(point.PointTime)
		if err != nil {
			return nil, malformed("%s: point_time: not a time", where)
		}
		if point.Value == nil {
			continue
		}
		grams := *point.Value * gramsPerPoundPerMWh
		if _, err := orUnknown(&grams); err != nil {
			return nil, malformed("%s: value: %v", where, err)
		}
		row := traceRow{where: where, from: from, to: from.Add(step), forecast: grams, actual: math.NaN()}
		if actual {
			row.actual = grams
		}
		rows = append(rows, row)
	}
	return rows, nil
}
