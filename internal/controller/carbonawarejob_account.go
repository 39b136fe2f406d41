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

package controller

import (
	"fmt"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	carbonv1alpha1 "github.com/ecotracker-dev/ecotracker-operator/api/v1alpha1"
	"github.com/ecotracker-dev/ecotracker-operator/internal/estimate"
	"github.com/ecotracker-dev/ecotracker-operator/internal/forecast"
)

// finalAfter is how long after a run its record waits for actual intensities to be published.
const finalAfter = 24 * time.Hour

// account records the emissions of a finished run. The record is provisional until the actual
// intensities of its times are published; after that it never changes again.
func (s *scope) account() {
	if !s.finished() || s.recordIsFinal() {
		return
	}
	runs := s.intervals()
	if len(runs) == 0 {
		s.recorded(metav1.ConditionFalse, carbonv1alpha1.ReasonNeverRan, "the job ended without running: nothing was emitted")
		return
	}
	if !s.meterSettled() {
		s.recorded(metav1.ConditionUnknown, carbonv1alpha1.ReasonMeterPending, "the numbers of the meters are on their way")
		return
	}
	in, used, problem := s.energy(runs)
	if problem != nil {
		s.energyUnknown(problem, runs)
		return
	}
	quality, err := s.intensities(runs, &in)
	if err != nil {
		s.intensityUnknown(err, runs)
		return
	}
	emissions, err := estimate.Account(in)
	if err != nil {
		s.intensityUnknown(err, runs)
		return
	}
	record, message := emissionsStatus(in, emissions, used, quality), ""
	if used.note != "" {
		message = ", " + used.note
	}
	record.Intensity.Signal = carbonv1alpha1.IntensitySignal(s.region(s.caj.Status.Job.Region).signal())
	if s.isFinal(quality, runs) {
		record.FinalAt = timePointer(s.now)
		s.recorded(metav1.ConditionTrue, carbonv1alpha1.ReasonFinal, recordMessage(record)+message)
	} else {
		s.recorded(metav1.ConditionUnknown, carbonv1alpha1.ReasonProvisional, recordMessage(record)+message+", provisional: actual intensities are not published yet")
		s.wakeAt(s.finalTime(runs))
	}
	s.caj.Status.Emissions = record
}

func (s *scope) intervals() []estimate.Interval {
	if s.caj.Status.Job == nil {
		return nil
	}
	var runs []estimate.Interval
	for _, r := range s.caj.Status.Job.Runs {
		if r.End != nil {
			runs = append(runs, estimate.Interval{Start: r.Start.Time, End: r.End.Time})
		}
	}
	return runs
}

// energy is what the run took with the model it used, and what it would have taken with the one asked
// for. What meters counted comes before what is declared. A declared energy knows nothing of models, so a
// downgrade does not change it.
func (s *scope) energy(runs []estimate.Interval) (estimate.Input, usedEnergy, *energyProblem) {
	var model carbonv1alpha1.ModelStatus
	if s.caj.Status.Model != nil {
		model = *s.caj.Status.Model
	}
	ran := estimate.Total(runs)
	if sum, ok := s.measure(); ok {
		in, used := s.measuredInput(sum)
		used.declared = s.declaredKWh(model.Effective, ran)
		return in, used, nil
	}
	requested, problem := wholeRun(s.caj, model.Requested, ran, s.models)
	if problem != nil {
		return estimate.Input{}, usedEnergy{}, problem
	}
	effective, problem := wholeRun(s.caj, model.Effective, ran, s.models)
	if problem != nil {
		return estimate.Input{}, usedEnergy{}, problem
	}
	share := 1.0
	if effective.method != methodPower {
		share = s.attempts(runs).Share(ran, durationOr(s.caj.Spec.ExpectedDuration, defaultExpectedDuration))
	}
	in := estimate.Input{RequestedKWh: share * requested.kWh.Mean(), EffectiveKWh: share * effective.kWh.Mean()}
	return in, usedEnergy{runEnergy: effective, share: share, note: s.notMeasured()}, nil
}

// usedEnergy is the energy of a whole run, and how many whole runs' energy was used.
type usedEnergy struct {
	runEnergy
	share float64
	// declared is what was declared, in kWh, where something else was used; empty otherwise.
	declared carbonv1alpha1.Decimal
	// note says for people how a measured energy is known; empty for others.
	note string
}

// declaredKWh is what is declared of a whole run; empty when nothing is.
func (s *scope) declaredKWh(model string, ran time.Duration) carbonv1alpha1.Decimal {
	declared, problem := wholeRun(s.caj, model, ran, s.models)
	if problem != nil {
		return ""
	}
	return carbonv1alpha1.Decimal(estimate.Decimal(declared.kWh.Mean(), kWhDigits))
}

// attempts is how the pods of the run ended. Where nobody could count them, because the Job was gone or
// stopped, all of them were lost.
func (s *scope) attempts(runs []estimate.Interval) estimate.Attempts {
	job := s.caj.Status.Job
	a := estimate.Attempts{
		Completed: isTrue(s.caj.Status.Conditions, carbonv1alpha1.ConditionComplete),
		Wanted:    wantedPods(&templateOf(s.caj).Spec),
		Succeeded: ptr.Deref(job.Succeeded, 0),
		Lost:      ptr.Deref(job.Lost, 0),
		Pauses:    len(runs) - 1,
	}
	if !a.Completed && a.Succeeded == 0 && a.Lost == 0 {
		a.Lost = a.Wanted
	}
	return a
}

// wantedPods is how many pods of a Job make one whole run.
func wantedPods(spec *batchv1.JobSpec) int32 {
	return max(1, ptr.Deref(spec.Completions, ptr.Deref(spec.Parallelism, 1)))
}

// intensities fills in the three intensities of a record and returns the worst quality used. Times
// that the regions do not remember any more are taken from the plan, which was made of forecasts. What
// is unknown a day after the run stays so: the world's mean stands for it, as in budgets. It is an average and
// stands for no marginal intensity.
func (s *scope) intensities(runs []estimate.Interval, in *estimate.Input) (forecast.Quality, error) {
	home, chosen := s.home(), s.region(s.caj.Status.Job.Region)
	if h, c := home.signal(), chosen.signal(); h != "" && c != "" && h != c {
		return "", fmt.Errorf("region %s has %s intensities, %s has %s ones: they cannot be compared", home.name, h, chosen.name, c)
	}
	submission := s.caj.CreationTimestamp.Time
	asIfNow := []estimate.Interval{{Start: submission, End: submission.Add(estimate.Total(runs))}}
	var plan carbonv1alpha1.PlanStatus
	if s.caj.Status.Plan != nil {
		plan = *s.caj.Status.Plan
	}
	worst := forecast.Quality("")
	for _, part := range []struct {
		to      *float64
		name    string
		region  regionFacts
		runs    []estimate.Interval
		planned carbonv1alpha1.Decimal
	}{
		{&in.HomeAtSubmission, "at home at the submission", home, asIfNow, plan.BaselineGramsPerKWh},
		{&in.HomeAtRun, "at home at the run", home, runs, plan.BaselineGramsPerKWh},
		{&in.ChosenAtRun, "in the chosen region at the run", chosen, runs, plan.GramsPerKWh},
	} {
		layers := part.region.layersAt(s.now)
		if signal := part.region.signal(); signal == "" || plan.Signal == "" || forecast.Signal(plan.Signal) == signal {
			layers = append(layers, plannedLayer(part.planned, part.runs)...)
		}
		layers = append(layers, part.region.lastResort(s.now)...)
		if first, last := part.runs[0], part.runs[len(part.runs)-1]; !s.now.Before(s.finalTime(runs)) && part.region.signal() != forecast.Marginal {
			layers = append(layers, worldMean(first.Start, last.End))
		}
		grams, quality, ok := estimate.MeanOverRuns(part.runs, layers...)
		if !ok {
			return "", fmt.Errorf("the carbon intensity %s is unknown (region %q)", part.name, part.region.name)
		}
		*part.to, worst = grams, forecast.Worst(worst, quality)
	}
	return worst, nil
}

// plannedLayer is the value of the plan over all the runs; none when the plan has none.
func plannedLayer(planned carbonv1alpha1.Decimal, runs []estimate.Interval) []forecast.Layer {
	if planned == "" || len(runs) == 0 {
		return nil
	}
	from, to := runs[0].Start, runs[len(runs)-1].End.Add(time.Second)
	return []forecast.Layer{{Series: forecast.Constant(parseDecimal(planned), from, to), Quality: forecast.Stale}}
}

func (s *scope) home() regionFacts {
	if len(s.regions) == 0 {
		return regionFacts{}
	}
	return s.regions[0]
}

func (s *scope) region(name string) regionFacts {
	for _, r := range s.regions {
		if r.name == name {
			return r
		}
	}
	return regionFacts{name: name}
}

// isFinal says whether the record can still change: it cannot when every value is actual, when no
// region will know better, or when it is too late for that.
func (s *scope) isFinal(quality forecast.Quality, runs []estimate.Interval) bool {
	if quality == forecast.Actual || !s.now.Before(s.finalTime(runs)) {
		return true
	}
	return !s.home().mayLearn() && !s.region(s.caj.Status.Job.Region).mayLearn()
}

func (s *scope) finalTime(runs []estimate.Interval) time.Time {
	return runs[len(runs)-1].End.Add(finalAfter)
}
