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

package replay

import (
	"context"
	"errors"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ecotracker-dev/ecotracker-operator/internal/forecast"
)

const slot = 30 * time.Minute

// paper is the trace of the paper: Great Britain in February and March 2026.
func paper(tb testing.TB) forecast.Trace {
	tb.Helper()
	path := filepath.Join("..", "..", "..", "shared", "data", "traces", "gb-2026-02-14.csv")
	file, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		tb.Skipf("SKIPPED: the trace of the paper is not part of this repository (%s)", path)
	}
	if err != nil {
		tb.Fatal(err)
	}
	defer func() { _ = file.Close() }()
	trace, err := forecast.ParseTrace(file)
	if err != nil {
		tb.Fatal(err)
	}
	return trace
}

func options(delay time.Duration) Options {
	return Options{MaxDelay: delay, Duration: slot, EnergyKWh: 0.0005, ActualsAfter: time.Hour}
}

func replay(tb testing.TB, o Options, regions ...Region) Result {
	tb.Helper()
	result, err := Replay(tb.Context(), regions, o, Names())
	if err != nil {
		tb.Fatal(err)
	}
	return result
}

// TestThePublishedFigures are those of the paper's own benchmark, to the last digit that it gives.
func TestThePublishedFigures(t *testing.T) {
	gb := Region{"gb", paper(t)}
	for _, c := range []struct {
		hours                                     float64
		days                                      int
		reduction, oracle, capture, delay         float64 // the first two in percent; a share; hours
		improved, tied, worse                     int
		grams, oracleGrams, nowGrams, captureMore float64 // only of the main run
	}{
		{0.5, 29, 1.058, 1.967, .538, .248, 431, 769, 192, 0, 0, 0, 0},
		{1, 29, 2.282, 3.748, .609, .509, 543, 611, 238, 0, 0, 0, 0},
		{2, 29, 5.004, 7.089, .706, 1.025, 631, 500, 261, 0, 0, 0, 0},
		{4, 29, 9.985, 12.983, .769, 2.049, 715, 409, 268, 79.7655, 77.109, 88.614, 76.91},
		{6, 29, 13.892, 17.703, .785, 3.033, 784, 334, 274, 0, 0, 0, 0},
		{8, 29, 17.029, 21.355, .797, 4.063, 860, 273, 259, 0, 0, 0, 0},
		{12, 29, 22.236, 27.321, .814, 6.080, 953, 220, 219, 0, 0, 0, 0},
		{24, 28, 32.212, 38.313, .841, 12.463, 1034, 130, 180, 0, 0, 0, 0},
	} {
		result := replay(t, options(time.Duration(c.hours*float64(time.Hour))), gb)
		now, argmin, oracle := result.Policies[Now], result.Policies[Argmin], result.Policies[Oracle]
		if result.Days != c.days || result.Scenarios != 48*c.days {
			t.Errorf("%v h: %d days, %d scenarios; want %d days", c.hours, result.Days, result.Scenarios, c.days)
		}
		improved, worse := 0, 0
		for i, run := range argmin.Runs {
			if run.GramsPerKWh < now.Runs[i].GramsPerKWh {
				improved++
			}
			if run.GramsPerKWh > now.Runs[i].GramsPerKWh {
				worse++
			}
		}
		if improved != c.improved || worse != c.worse || result.Scenarios-improved-worse != c.tied {
			t.Errorf("%v h: %d better, %d worse", c.hours, improved, worse)
		}
		for what, pair := range map[string][2]float64{
			"reduction":     {to(3, argmin.ReductionPercent), c.reduction},
			"oracle":        {to(3, oracle.ReductionPercent), c.oracle},
			"capture":       {to(3, *argmin.OracleCapturePercent/100), c.capture},
			"delay":         {to(3, argmin.MeanDelayHours), c.delay},
			"worse percent": {argmin.WorseThanNowPercent, round(100 * float64(c.worse) / float64(result.Scenarios))},
		} {
			if pair[0] != pair[1] {
				t.Errorf("%v h: %s = %v, want %v", c.hours, what, pair[0], pair[1])
			}
		}
		if c.grams > 0 && (argmin.Grams != c.grams || oracle.Grams != c.oracleGrams || now.Grams != c.nowGrams ||
			to(2, *argmin.OracleCapturePercent) != c.captureMore || argmin.DaysWorse != 0 || argmin.MedianDelayHours != 2) {
			t.Errorf("%v h: now %v g, argmin %+v, oracle %v g", c.hours, now.Grams, argmin, oracle.Grams)
		}
	}
}

func to(digits int, x float64) float64 {
	scale := math.Pow10(digits)
	return math.Round(x*scale) / scale
}

// TestOursIsBetterThanThePaper at every delay and duration, whenever the actual intensities arrive.
func TestOursIsBetterThanThePaper(t *testing.T) {
	gb := Region{"gb", paper(t)}
	for _, late := range []time.Duration{30 * time.Minute, time.Hour, 24 * time.Hour} {
		o := options(4 * time.Hour)
		o.ActualsAfter = late
		ours := replay(t, o, gb).Policies[Default]
		if c := *ours.OracleCapturePercent; c < 83.5 || c > 89 || ours.DaysWorse != 0 {
			t.Errorf("actuals after %s: %.2f %% of the oracle, %d days worse", late, c, ours.DaysWorse)
		}
	}
	for _, delay := range []time.Duration{2 * time.Hour, 4 * time.Hour, 12 * time.Hour, 24 * time.Hour, 48 * time.Hour} {
		for _, duration := range []time.Duration{slot, time.Hour, 2 * time.Hour, 4 * time.Hour} {
			o := options(delay)
			o.Duration = duration
			result := replay(t, o, gb)
			ours, theirs := *result.Policies[Default].OracleCapturePercent, *result.Policies[Argmin].OracleCapturePercent
			if ours <= theirs {
				t.Errorf("delay %s, duration %s: %.2f %% of the oracle, argmin %.2f %%", delay, duration, ours, theirs)
			}
		}
	}
}

// TestNoPolicySeesWhatIsNotKnown scrambles or removes, for every single decision, all that was not published when it
// was made, and all forecasts beyond what the job could use: the decision stays, and so does every single value
// that it was made from. The oracle's does not. A delay of a day makes every time of day count, also that of the
// last actual value.
func TestNoPolicySeesWhatIsNotKnown(t *testing.T) {
	gb := []Region{{"gb", paper(t)}}
	for _, delay := range []time.Duration{4 * time.Hour, 24 * time.Hour} {
		for _, late := range []time.Duration{40 * time.Minute, time.Hour, 24 * time.Hour} {
			o := options(delay)
			o.ActualsAfter = late
			days, _ := wholeDays(gb, o)
			changed := map[string]int{}
			for i, j := range submissions(days, slot, o) {
				if i%7 != 0 { // every hour of the day, every day
					continue
				}
				j.submitted = j.submitted.Add(time.Duration(i) * time.Second % slot) // not only at the start of a slot
				scrambled := []Region{{"gb", scramble(gb[0].Trace, j.submitted, late, j.submitted.Add(o.MaxDelay+o.Duration), i%2 == 0)}}
				for _, name := range []string{Argmin, Default, Oracle} {
					if decide(t, name, gb, o, j) != decide(t, name, scrambled, o, j) {
						changed[name]++
					}
				}
				was, is := newGrid(gb, o).known(0, j.submitted, o), newGrid(scrambled, o).known(0, j.submitted, o)
				if !slices.Equal(was.Forecast().Series.Grams, is.Forecast().Series.Grams) || !slices.Equal(was.Estimate().Series.Grams, is.Estimate().Series.Grams) {
					changed["values"]++
				}
			}
			if changed[Argmin]+changed[Default]+changed["values"] > 0 {
				t.Errorf("a delay of %s, actuals after %s: decisions depend on what was not known: %v", delay, late, changed)
			}
			if changed[Oracle] == 0 {
				t.Error("the oracle did not notice: the test shows nothing")
			}
		}
	}
}

func decide(t *testing.T, name string, regions []Region, o Options, j job) start {
	t.Helper()
	d, err := deciderOf(name, regions, o)
	if err != nil {
		t.Fatal(err)
	}
	return d(j)
}

// scramble replaces, or removes, what is not known at now: actual values that are not published, and forecasts
// of slots that begin at or after beyond.
func scramble(trace forecast.Trace, now time.Time, late time.Duration, beyond time.Time, remove bool) forecast.Trace {
	of := func(s forecast.Series, unknown func(slotStart time.Time) bool) forecast.Series {
		s.Grams = slices.Clone(s.Grams)
		for i := range s.Grams {
			if unknown(s.Start.Add(time.Duration(i) * s.Step)) {
				s.Grams[i] = float64((i * 7919) % 400)
				if remove {
					s.Grams[i] = math.NaN()
				}
			}
		}
		return s
	}
	return forecast.Trace{
		Forecast: of(trace.Forecast, func(start time.Time) bool { return !start.Before(beyond) }),
		Actual:   of(trace.Actual, func(start time.Time) bool { return start.Add(slot + late).After(now) }),
	}
}

// TestForecastsAsTheyWereIssued holds that a policy sees the last forecast that there was, and none of later ones.
func TestForecastsAsTheyWereIssued(t *testing.T) {
	start := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	of := func(first int, grams ...float64) forecast.Series {
		return forecast.Series{Start: start.Add(time.Duration(first) * slot), Step: slot, Grams: grams}
	}
	trace := forecast.Trace{Forecast: of(0, 300, 1, 1, 1, 1, 1), Actual: of(0, 300, 250, 200, 150, 100, 50), Issued: []forecast.Issued{
		{At: start.Add(5 * time.Minute), Forecast: of(0, 300, 280, 100, 290)},
		{At: start.Add(40 * time.Minute), Forecast: of(1, 280, 270, 90, 260)},
		{At: start.Add(2 * time.Hour), Forecast: of(4, 1, 1)},
	}}
	o := options(90 * time.Minute)
	for minutes, want := range map[int]int{0: 0, 4: 4, 5: 60, 39: 60, 40: 90, 65: 90} {
		for _, name := range []string{Argmin, Default} {
			submitted := start.Add(time.Duration(minutes) * time.Minute)
			got := decide(t, name, []Region{{"gb", trace}}, o, job{uid: "x", submitted: submitted})
			if at := int(got.at.Sub(start).Minutes()); at != want {
				t.Errorf("%s, submitted at minute %d: starts at minute %d, want %d", name, minutes, at, want)
			}
		}
	}
}

func TestTheHerd(t *testing.T) {
	trace := paper(t)
	days := 9 * 48 // with a history for the mean day; the whole month gives the same and takes longer
	trace.Forecast.Grams, trace.Actual.Grams = trace.Forecast.Grams[:days], trace.Actual.Grams[:days]
	gb := Region{"gb", trace}
	// The cap is twice the mean of the slots in which jobs are submitted: 48 a day, 16 in office hours.
	for arrivals, limit := range map[Arrivals]int{Uniform: 416, OfficeHours: 1250} {
		o := options(4 * time.Hour)
		o.JobsPerDay, o.Arrivals = 10_000, arrivals
		free := replay(t, o, gb)
		o.MaxStartsPerWindow = limit
		capped := replay(t, o, gb).Policies[Default]
		theirs, ours := free.Policies[Argmin], free.Policies[Default]
		if ours.PeakStartsPerMinute*4 > theirs.PeakStartsPerMinute || *ours.OracleCapturePercent < *theirs.OracleCapturePercent {
			t.Errorf("%s: peak %d, argmin %d; capture %.2f, argmin %.2f", arrivals, ours.PeakStartsPerMinute, theirs.PeakStartsPerMinute,
				*ours.OracleCapturePercent, *theirs.OracleCapturePercent)
		}
		if capped.PeakStartsPerMinute*7 > theirs.PeakStartsPerMinute {
			t.Errorf("%s: peak with the cap %d, argmin %d", arrivals, capped.PeakStartsPerMinute, theirs.PeakStartsPerMinute)
		}
		lost := *ours.OracleCapturePercent - *capped.OracleCapturePercent
		if lost > 1.5 {
			t.Errorf("%s: the cap costs %.2f points of capture", arrivals, lost)
		}
		if capped.Grams >= free.Policies[Now].Grams {
			t.Errorf("%s: with the cap %v g, starting at once %v g", arrivals, capped.Grams, free.Policies[Now].Grams)
		}
		t.Logf("%s: peak %d, with the cap %d, argmin %d; lost %.2f points", arrivals,
			ours.PeakStartsPerMinute, capped.PeakStartsPerMinute, theirs.PeakStartsPerMinute, lost)
	}
}

func TestSeveralRegions(t *testing.T) {
	trace := paper(t)
	// Another grid, half a day behind, a fifth greener and in hours.
	other := forecast.Trace{
		Forecast: forecast.Series{Start: trace.Forecast.Start.Add(-30 * time.Minute), Step: time.Hour},
		Actual:   forecast.Series{Start: trace.Forecast.Start.Add(-30 * time.Minute), Step: time.Hour},
	}
	for i := range 721 {
		j := (i*2 + 24) % len(trace.Actual.Grams)
		other.Forecast.Grams = append(other.Forecast.Grams, 0.8*trace.Forecast.Grams[j])
		other.Actual.Grams = append(other.Actual.Grams, 0.8*trace.Actual.Grams[j])
	}
	one := replay(t, options(4*time.Hour), Region{"gb", trace})
	two := replay(t, options(4*time.Hour), Region{"gb", trace}, Region{"de", other})
	if two.Days != one.Days || two.Policies[Now].Grams != one.Policies[Now].Grams {
		t.Errorf("another region changed what starting at once at home emits: %+v", two)
	}
	ours, theirs, oracle := two.Policies[Default], two.Policies[Argmin], two.Policies[Oracle]
	if ours.ReductionPercent <= one.Policies[Oracle].ReductionPercent || ours.Grams >= theirs.Grams || oracle.Grams > ours.Grams {
		t.Errorf("default %v g, argmin %v g, oracle %v g", ours.Grams, theirs.Grams, oracle.Grams)
	}
	moved := 0
	for _, run := range ours.Runs {
		moved += run.Region
	}
	if moved == 0 || moved == len(ours.Runs) {
		t.Errorf("%d of %d jobs moved", moved, len(ours.Runs))
	}
}

func TestDaysWithGapsAreLeftOut(t *testing.T) {
	trace := paper(t)
	trace.Actual.Grams = slices.Clone(trace.Actual.Grams)
	trace.Actual.Grams[1+5*48+7] = math.NaN() // in the night of the sixth day: jobs of the evening before can reach it
	trace.Forecast.Grams = slices.Clone(trace.Forecast.Grams)
	trace.Forecast.Grams[1+9*48] = math.NaN() // a forecast that is missing is part of life
	result := replay(t, options(4*time.Hour), Region{"gb", trace})
	if result.Days != 27 || result.DaysWithGaps != 2 {
		t.Errorf("%d days, %d left out", result.Days, result.DaysWithGaps)
	}
}

func TestWhatCannotBeReplayedIsSaid(t *testing.T) {
	trace := forecast.Trace{Forecast: forecast.Series{Start: time.Date(2026, 2, 14, 0, 0, 0, 0, time.UTC), Step: time.Hour, Grams: make([]float64, 30)}}
	trace.Actual = trace.Forecast
	odd := trace
	odd.Forecast.Step, odd.Actual.Step = 7*time.Minute, 7*time.Minute
	good, short := options(4*time.Hour), options(48*time.Hour)
	with := func(change func(*Options)) Options {
		o := good
		change(&o)
		return o
	}
	for want, c := range map[string]struct {
		regions  []Region
		o        Options
		policies []string
	}{
		"no region":                          {nil, good, Names()},
		"region gb: the trace has no intens": {[]Region{{"gb", forecast.Trace{Forecast: trace.Forecast}}}, good, Names()},
		"region gb is there twice":           {[]Region{{"gb", trace}, {"gb", trace}}, good, Names()},
		"a slot of 7m0s does not divide":     {[]Region{{"gb", odd}}, good, Names()},
		"no day to replay":                   {[]Region{{"gb", trace}}, short, Names()},
		`there is no policy "best"`:          {[]Region{{"gb", trace}}, good, []string{"best"}},
		"MaxDelay must be whole seconds and not negative, such as 4h, got -1ns": {[]Region{{"gb", trace}}, with(func(o *Options) { o.MaxDelay = -1 }), Names()},
		"Duration must be whole seconds and at least one, such as 30m, got 0s":  {[]Region{{"gb", trace}}, with(func(o *Options) { o.Duration = 0 }), Names()},
		"EnergyKWh must be above 0": {[]Region{{"gb", trace}}, with(func(o *Options) { o.EnergyKWh = 0 }), Names()},
		"ActualsAfter must not be negative, got -1ns: nothing is published before its slot ended": {[]Region{{"gb", trace}}, with(func(o *Options) { o.ActualsAfter = -1 }), Names()},
		"JobsPerDay must not be negative":                   {[]Region{{"gb", trace}}, with(func(o *Options) { o.JobsPerDay = -1 }), Names()},
		"MaxStartsPerWindow must not be negative":           {[]Region{{"gb", trace}}, with(func(o *Options) { o.MaxStartsPerWindow = -1 }), Names()},
		"JobsPerDay must be at most 4000000 for the 1 days": {[]Region{{"gb", trace}}, with(func(o *Options) { o.JobsPerDay = MaxJobs + 1 }), Names()},
	} {
		if _, err := Replay(t.Context(), c.regions, c.o, c.policies); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("want %q, got %v", want, err)
		}
	}
	stopped, stop := context.WithCancel(t.Context())
	stop()
	if _, err := Replay(stopped, []Region{{"gb", trace}}, good, Names()); !errors.Is(err, context.Canceled) {
		t.Errorf("a replay that was stopped: %v", err)
	}
}

func TestAGridWithNothingToSave(t *testing.T) {
	trace := forecast.Trace{Forecast: forecast.Series{Start: time.Date(2026, 2, 14, 0, 0, 0, 0, time.UTC), Step: time.Hour}}
	for range 60 {
		trace.Forecast.Grams = append(trace.Forecast.Grams, 100)
	}
	trace.Actual = trace.Forecast
	result := replay(t, options(4*time.Hour), Region{"za", trace})
	ours := result.Policies[Default]
	if ours.OracleCapturePercent != nil || ours.MeanDelayHours != 0 || ours.ReductionPercent != 0 {
		t.Errorf("%+v", ours)
	}
}

func BenchmarkReplay(b *testing.B) {
	gb := []Region{{"gb", paper(b)}}
	for b.Loop() {
		if _, err := Replay(b.Context(), gb, options(4*time.Hour), Names()); err != nil {
			b.Fatal(err)
		}
	}
}
