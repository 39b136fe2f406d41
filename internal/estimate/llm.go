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

package estimate

import (
	"fmt"
	"math"
)

// Method is a version of the EcoLogits methodology (https://ecologits.ai, "LLM Inference", MPL-2.0
// and CC BY-SA). The two know the same energies; they differ in what making a GPU emits.
type Method string

// The versions.
const (
	// EcoLogits011 takes 273 kgCO2e for a GPU (Lees-Perasso et al. 2026, for ADEME).
	EcoLogits011 Method = "0.11"
	// EcoLogits010 takes 164 kgCO2e for a GPU.
	EcoLogits010 Method = "0.10"
)

// ParseMethod reads "0.11" or "0.10"; anything else is an error.
func ParseMethod(text string) (Method, error) {
	switch m := Method(text); m {
	case EcoLogits010, EcoLogits011:
		return m, nil
	}
	return "", fmt.Errorf("%q is not a version of the EcoLogits method: it must be 0.11 or 0.10", text)
}

// The figures of the method, from its documentation page "LLM Inference", versions 0.10 and 0.11. The
// energy of a GPU per token and the latency per token are regressions over the ML.ENERGY leaderboard
// (H100 GPUs, https://ml.energy) by active parameters in billions and batch size; the server is an
// AWS p5.48xlarge as described by Boavizta (https://boavizta.org).
const (
	batchSize = 64 // requests that share a server

	gpuEnergyFactor   = 1.1665273170451914e-06 // Wh per token and billion active parameters
	gpuEnergyBatch    = -0.011205921025579175  // per request in the batch, in the exponent
	gpuEnergyConstant = 4.052928146734005e-05  // Wh per token

	latencyFactor   = 0.0006785088094353663 // s per token and billion active parameters
	latencyBatch    = 0.0003119310311688259 // s per token and request in the batch
	latencyConstant = 0.019473717579473387  // s per token

	bitsPerParameter = 16
	memoryOverhead   = 1.2 // memory in use over that of the parameters
	gpuMemoryGB      = 80
	serverGPUs       = 8
	serverKW         = 1.2 // without its GPUs

	serverEmbodiedGrams = 5_700_000 // without its GPUs
	hardwareLifetime    = 3 * 365 * 24 * 3600.0
)

// gpuEmbodiedGrams is what making one GPU emits, in gCO2e.
func (m Method) gpuEmbodiedGrams() float64 {
	if m == EcoLogits010 {
		return 164_000
	}
	return 273_000
}

// Range is an estimate's lower and upper end.
type Range struct{ Min, Max float64 }

// Mean is the middle of the range.
func (r Range) Mean() float64 { return (r.Min + r.Max) / 2 }

// times multiplies both ends.
func (r Range) times(factor float64) Range { return Range{r.Min * factor, r.Max * factor} }

// Inference is what calls of a model take.
type Inference struct {
	// KWh of servers, GPUs and the data centre around them, in kWh. Its mean is the estimate.
	KWh Range
	// EmbodiedGrams is the calls' share in making the hardware, in gCO2e. It is no part of what a run
	// emits: it does not depend on when or where it runs.
	EmbodiedGrams Range
	// PUE of the data centre, by which KWh was multiplied.
	PUE Range
	// Zone in which the provider's data centres are taken to stand, ISO 3166-1 alpha-3; empty when
	// nobody says.
	Zone string
}

// Times is what so many times the calls take.
func (i Inference) Times(factor float64) Inference {
	i.KWh, i.EmbodiedGrams = i.KWh.times(factor), i.EmbodiedGrams.times(factor)
	return i
}

// Inference estimates what a number of calls take that together return so many output tokens. The
// tokens of the prompts are not counted: the method has no figure for them. Negative numbers count
// as 0.
func (m Model) Inference(method Method, calls, outputTokens int64) Inference {
	return m.inference(method, float64(max(0, calls)), float64(max(0, outputTokens)), math.Inf(1))
}

// inference is the method itself. A latency that was measured (seconds, over all calls) bounds the
// one that is computed; infinity stands for none.
func (m Model) inference(method Method, calls, tokens, latency float64) Inference {
	low := m.request(method, calls, tokens, latency, Range{m.Active.Min, m.Total.Min})
	high := m.request(method, calls, tokens, latency, Range{m.Active.Max, m.Total.Max})
	return Inference{
		KWh:           Range{m.DataCentre.PUE.Min * low.kWh, m.DataCentre.PUE.Max * high.kWh},
		EmbodiedGrams: Range{low.embodied, high.embodied},
		PUE:           m.DataCentre.PUE,
		Zone:          m.DataCentre.Zone,
	}
}

// demand is what requests take for one guess at a model's size.
type demand struct {
	gpus     float64
	seconds  float64
	kWh      float64 // without the data centre around the servers
	embodied float64 // gCO2e
}

// request computes for a model with size.Min billion active and size.Max billion parameters in all.
func (m Model) request(method Method, calls, tokens, latency float64, size Range) demand {
	active, total := size.Min, size.Max
	gpuKWh := tokens * (gpuEnergyFactor*math.Exp(gpuEnergyBatch*batchSize)*active + gpuEnergyConstant) / 1000
	gpus := gpusFor(total)
	seconds := math.Min(latency, m.latency(calls, tokens, active))
	server := seconds / 3600 * serverKW * gpus / serverGPUs / batchSize
	hardware := gpus/serverGPUs*serverEmbodiedGrams + gpus*method.gpuEmbodiedGrams()
	return demand{
		gpus:     gpus,
		seconds:  seconds,
		kWh:      server + gpus*gpuKWh,
		embodied: seconds * hardware / (hardwareLifetime * batchSize),
	}
}

// latency is how long the calls take one after the other, in seconds: by what was measured for the
// model, else by the regression.
func (m Model) latency(calls, tokens, active float64) float64 {
	perToken := latencyFactor*active + latencyBatch*batchSize + latencyConstant
	if m.TokensPerSecond > 0 {
		perToken = 1 / m.TokensPerSecond
	}
	return calls*m.FirstTokenSeconds + tokens*perToken
}

// gpusFor is how many GPUs hold a model of so many billion parameters: a power of two.
func gpusFor(total float64) float64 {
	memory := memoryOverhead * total * bitsPerParameter / 8
	return math.Exp2(math.Ceil(math.Log2(math.Ceil(memory / gpuMemoryGB))))
}
