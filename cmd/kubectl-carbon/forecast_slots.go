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

package main

import (
	"bytes"
	"strconv"
	"time"

	carbonv1alpha1 "github.com/ecotracker-dev/ecotracker-operator/api/v1alpha1"
)

// slot is a slot of a region's forecast, for programs.
type slot struct {
	Region string    `json:"region"`
	From   time.Time `json:"from"`
	To     time.Time `json:"to"`
	// GramsPerKWh is in gCO2e/kWh; nothing where it is not known.
	GramsPerKWh *float64 `json:"gramsPerKWh"`
	Quality     string   `json:"quality"`
	// Greenest says whether one of the region's greenest windows touches the slot.
	Greenest bool `json:"greenest"`
}

var slotColumns = []string{"region", "from", "to", "grams_per_kwh", "quality", "greenest"}

func (s slot) cells() []string {
	return []string{s.Region, timeCell(&s.From), timeCell(&s.To), cell(s.GramsPerKWh), s.Quality, strconv.FormatBool(s.Greenest)}
}

// writeSlots writes every slot of the named region, or of all.
func writeSlots(out *bytes.Buffer, regions []carbonv1alpha1.GridRegion, names []string, now time.Time, o forecastOptions) error {
	if len(names) > 0 {
		i, err := indexOf(regions, names[0])
		if err != nil {
			return err
		}
		regions = regions[i : i+1]
	}
	slots := []slot{}
	for i := range regions {
		series, quality := ahead(&regions[i], now, o.hours)
		marked := markWindows(series, greenestWindows(series, now, o.duration, o.windows))
		for k, grams := range series.Grams {
			from := series.Start.Add(time.Duration(k) * series.Step).UTC()
			slots = append(slots, slot{regions[i].Name, from, from.Add(series.Step), known(grams), string(quality), marked[k]})
		}
	}
	return writeRecords(out, o.format, slotColumns, slots)
}
