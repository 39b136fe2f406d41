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
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
)

// maxMessage is how much of a termination message Kubernetes keeps, in bytes.
const maxMessage = 4096

// reportVersion grows when the meaning of a field changes.
const reportVersion = 1

// Report is what a meter hands over: everything counted in a pod, restarts included.
type Report struct {
	Version int    `json:"v"`
	Lines   []Line `json:"lines"`
	// Lost says that counts of before a restart could not be read.
	Lost bool `json:"lost,omitempty"`
	// Open says that the breaker is open: calls are refused.
	Open bool `json:"open,omitempty"`
	// Told says that the meter has ended once to tell that.
	Told bool `json:"told,omitempty"`
}

// ParseReport reads a report; what follows it is passed over. An error for what is none.
func ParseReport(data []byte) (*Report, error) {
	var r Report
	if err := json.NewDecoder(bytes.NewReader(data)).Decode(&r); err != nil {
		return nil, fmt.Errorf("reading a report of the meter: %w", err)
	}
	if r.Version != reportVersion {
		return nil, fmt.Errorf("a report of the meter has version %d, this program reads %d", r.Version, reportVersion)
	}
	for _, line := range r.Lines {
		if !line.canBe() {
			return nil, errors.New("a report of the meter has numbers or names that no meter writes")
		}
	}
	return &r, nil
}

// most is above what all calls of a pod can add up to, in calls, tokens or kWh.
const most = 1e15

// canBe says whether a meter could have written the line: what stands in a termination message is added
// to sums that others are held to.
func (l Line) canBe() bool {
	for _, name := range []string{l.Provider, l.Operation, l.Requested, l.Effective, l.Status} {
		if tidy(name) != name {
			return false
		}
	}
	for _, n := range []int64{
		l.Calls, l.Input, l.Output, l.Cached, l.Reasoning, l.Estimated, l.UnknownEnergy,
	} {
		if n < 0 || n > most {
			return false
		}
	}
	for _, kWh := range []float64{l.KWh, l.RequestedKWh, l.AssumedKWh, l.StaleKWh} {
		if kWh < 0 || kWh > most {
			return false
		}
	}
	return l.Nanograms >= 0 && l.RequestedNanograms >= 0 && l.Estimated <= l.Calls && l.UnknownEnergy <= l.Calls
}

// encode writes the report in at most so many bytes. When there are too many lines, those with the
// fewest calls are added up in one, so that the totals stay right.
func (r Report) encode(limit int) []byte {
	r.Version = reportVersion
	whole := encode(r)
	if len(whole) <= limit {
		return whole
	}
	const reserve = 600 // the frame and the line of the others
	kept, size := 0, reserve
	for kept < len(r.Lines) {
		size += len(encode(r.Lines[kept])) + 1
		if size > limit {
			break
		}
		kept++
	}
	rest := Line{Kind: theOthers, Tally: Total(r.Lines[kept:])}
	r.Lines = append(append([]Line{}, r.Lines[:kept]...), rest)
	return encode(r)
}
