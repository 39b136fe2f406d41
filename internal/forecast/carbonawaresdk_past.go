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
	"fmt"
	"math"
	"net/http"
	"net/url"
	"time"
)

const (
	carbonAwarePast = 48 * time.Hour
	// carbonAwareHistory is the most that every provider behind the API gives at once: Electricity Maps ends there.
	carbonAwareHistory = 10 * day
)

// History asks for the last 10 days.
func (s CarbonAwareSDK) History(ctx context.Context, client *http.Client, now time.Time) (Series, error) {
	past, err := s.past(ctx, client, now, carbonAwareHistory)
	return past.Forecast, err
}

// past is what was observed in the time before now, as actual values.
func (s CarbonAwareSDK) past(ctx context.Context, client *http.Client, now time.Time, length time.Duration) (Trace, error) {
	to := now.UTC().Truncate(time.Minute)
	from := to.Add(-length)
	var answer json.RawMessage
	err := s.ask(ctx, client, now, "bylocation", url.Values{"time": {from.Format(time.RFC3339)}, "toTime": {to.Format(time.RFC3339)}}, &answer)
	if err != nil {
		return Trace{}, err
	}
	past, err := parseCarbonAwarePast(answer)
	return past.Clip(from, now), err // nobody has observed what comes
}

// carbonAwareObserved is a slot of the past; its duration is written as hours:minutes:seconds.
type carbonAwareObserved struct {
	Location string   `json:"location"`
	Time     string   `json:"time"`
	Rating   *float64 `json:"rating"`
	Duration string   `json:"duration"`
}

// parseCarbonAwarePast reads a list of slots, in any order. Their location is as the provider behind the API names
// it, so that it is only known to be one and the same.
func parseCarbonAwarePast(data []byte) (Trace, error) {
	var slots []carbonAwareObserved
	if json.Unmarshal(data, &slots) != nil {
		return Trace{}, malformed("its past is not a list of slots")
	}
	var rows []traceRow
	for i, slot := range slots {
		where := fmt.Sprintf("slot %d of its past", i+1)
		from, err := parseTime(slot.Time)
		if err != nil {
			return Trace{}, malformed("%s: time: not a time", where)
		}
		length, err := time.Parse(time.TimeOnly, slot.Duration)
		if minutes := length.Hour()*60 + length.Minute(); err != nil || length.Second() != 0 || minutes < 1 || minutes > 60 {
			return Trace{}, malformed("%s: duration: not from a minute to an hour", where)
		}
		grams, err := orUnknown(slot.Rating)
		if err != nil {
			return Trace{}, malformed("%s: rating: %v", where, err)
		}
		if slot.Location != slots[0].Location {
			return Trace{}, malformed("%s: it is about another location than the first one", where)
		}
		if !math.IsNaN(grams) {
			to := from.Add(time.Duration(length.Hour())*time.Hour + time.Duration(length.Minute())*time.Minute)
			rows = append(rows, traceRow{where: where, from: from, to: to, forecast: grams, actual: grams})
		}
	}
	trace, err := assemble(dropRepeated(rows), true)
	if err != nil {
		return Trace{}, malformed("%v", err)
	}
	return trace, nil
}

// behind is the forecast with the past before it. Where both know a slot, the past one counts. It stays as it is
// when the two are on different grids, or longer than a trace may be together.
func (t Trace) behind(past Trace) Trace {
	start := past.Forecast.Start
	if start.After(t.Forecast.Start) {
		start = t.Forecast.Start
	}
	end := later(past.Forecast.End(), t.Forecast.End())
	step := t.Forecast.Step
	slots := end.Sub(start) / max(step, 1)
	if past.Forecast.Empty() || past.Forecast.Step != step || t.Forecast.Start.Sub(past.Forecast.Start)%step != 0 || slots > MaxTraceSlots {
		return t
	}
	begins, _ := t.Begins()
	all := Trace{Forecast: unknown(start, step, int(slots)), Actual: unknown(start, step, int(slots)), begins: begins}
	for i := range all.Forecast.Grams {
		at := start.Add(time.Duration(i) * step)
		if grams, ok := past.Actual.At(at); ok {
			all.Forecast.Grams[i], all.Actual.Grams[i] = grams, grams
		} else if grams, ok := t.Forecast.At(at); ok {
			all.Forecast.Grams[i] = grams
		}
	}
	return all
}
