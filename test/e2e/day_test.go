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

package e2e

import (
	"context"
	"encoding/csv"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	carbonv1alpha1 "github.com/ecotracker-dev/ecotracker-operator/api/v1alpha1"
	"github.com/ecotracker-dev/ecotracker-operator/internal/testing/build"
)

// realDay is a month of the GB grid. It is not part of this repository.
var realDay = filepath.Join("..", "..", "..", "shared", "data", "traces", "gb-2026-02-14.csv")

var _ = Describe("A day of a real grid, sped up", func() {
	It("drives a job through its life, and the grams equal the hand calculation", func(ctx context.Context) {
		table, err := os.ReadFile(realDay)
		if os.IsNotExist(err) {
			Skip("SKIPPED: " + realDay + " is not here; it is not part of this repository")
		}
		Expect(err).NotTo(HaveOccurred())
		const speed = 900 // a half hour lasts two seconds, a day 96
		from := time.Date(2026, 2, 20, 6, 0, 0, 0, time.UTC)
		ns := namespace(ctx)
		traceFrom(ctx, "day", string(table), &carbonv1alpha1.TraceReplay{From: metav1.NewTime(from), Speed: speed}, nil)
		anchor := regionCreation(ctx, "day")
		startManager("")
		key := types.NamespacedName{Namespace: ns, Name: "day"}
		j := build.CarbonAwareJob(key.Name, ns).Regions("day").MaxDelay(48 * time.Second).Duration(6 * time.Second).Jitter(0).KWh("0.0005")
		Expect(cluster.Create(ctx, runnable(j, 6*time.Second).Obj())).To(Succeed())
		planned := eventuallyPlanned(ctx, key)
		Expect(planned.Status.Plan.Reason).To(Equal("GreenestWindow"))
		caj := eventuallyFinal(ctx, key)

		By("calculating by hand from the table and the times of the run")
		actual := actuals(string(table))
		// mean over a wall-clock interval, second by second, as a person with a table would.
		mean := func(start, end time.Time) float64 {
			sum, n := 0.0, 0
			for t := start; t.Before(end); t = t.Add(time.Second) {
				inTrace := from.Add(t.Sub(anchor) * speed).Truncate(30 * time.Minute)
				Expect(actual).To(HaveKey(inTrace))
				sum, n = sum+actual[inTrace], n+1
			}
			return sum / float64(n)
		}
		run := caj.Status.Job
		length := run.CompletionTime.Sub(run.StartTime.Time)
		atRun := mean(run.StartTime.Time, run.CompletionTime.Time)
		atSubmission := mean(caj.CreationTimestamp.Time, caj.CreationTimestamp.Add(length))
		e := caj.Status.Emissions
		Expect(number(e.ActualGrams)).To(BeNumerically("~", 0.0005*atRun, 1e-9))
		Expect(number(e.BaselineGrams)).To(BeNumerically("~", 0.0005*atSubmission, 1e-9))
		Expect(number(e.AvoidedGrams)).To(BeNumerically("~", 0.0005*(atSubmission-atRun), 2e-9))
		Expect(e.AvoidedBy.Time).To(Equal(e.AvoidedGrams), "one region, one model: all by time")
		Expect(e.Quality).To(Equal(carbonv1alpha1.QualityActual))
		Expect(run.StartTime.Time).To(BeTemporally(">=", caj.Status.Plan.Start.Time))
	})
})

func regionCreation(ctx context.Context, name string) time.Time {
	region := &carbonv1alpha1.GridRegion{}
	Expect(cluster.Get(ctx, types.NamespacedName{Name: name}, region)).To(Succeed())
	return region.CreationTimestamp.Time
}

// actuals reads the table anew, by other means than the operator's.
func actuals(table string) map[time.Time]float64 {
	rows, err := csv.NewReader(strings.NewReader(table)).ReadAll()
	Expect(err).NotTo(HaveOccurred())
	out := map[time.Time]float64{}
	for _, row := range rows[1:] {
		t, err := time.Parse("2006-01-02T15:04Z", row[0])
		Expect(err).NotTo(HaveOccurred())
		out[t], err = strconv.ParseFloat(row[3], 64)
		Expect(err).NotTo(HaveOccurred())
	}
	return out
}

func number(d carbonv1alpha1.Decimal) float64 {
	v, err := strconv.ParseFloat(string(d), 64)
	Expect(err).NotTo(HaveOccurred())
	Expect(math.IsNaN(v)).To(BeFalse())
	return v
}
