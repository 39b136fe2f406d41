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
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"math"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/ecotracker-dev/ecotracker-operator/internal/estimate"
)

// The annotations of the pod by which decisions reach the meter.
const (
	// AnnotationPrefix begins the names of all of them.
	AnnotationPrefix = "meter.carbon.ecotracker.dev/"

	// AnnotationIntensity is the carbon intensity that calls are priced at now, in gCO2e/kWh.
	AnnotationIntensity = AnnotationPrefix + "intensity"
	// AnnotationQuality says how far that intensity can be trusted, in one word.
	AnnotationQuality = AnnotationPrefix + "intensity-quality"
	// AnnotationUntil is until when that intensity holds, RFC 3339; without it, it holds for good.
	AnnotationUntil = AnnotationPrefix + "intensity-until"
	// AnnotationRun names the run that the pod belongs to, for the record.
	AnnotationRun = AnnotationPrefix + "run"
	// AnnotationBaseline is the carbon intensity of the counterfactual, in gCO2e/kWh.
	AnnotationBaseline = AnnotationPrefix + "baseline-intensity"
	// AnnotationModels is a JSON object from requested models to those to use instead.
	AnnotationModels = AnnotationPrefix + "models"
	// AnnotationMaxGrams is how much this pod may emit in all, in gCO2e.
	AnnotationMaxGrams = AnnotationPrefix + "max-grams"
	// AnnotationBreaker refuses all calls while it is "open".
	AnnotationBreaker = AnnotationPrefix + "breaker"
)

// maxIntensity in gCO2e/kWh is above that of any grid: a larger number is in another unit.
const maxIntensity = 5000

// Decisions are what the meter is told to do.
type Decisions struct {
	// Intensity and Baseline in gCO2e/kWh are NaN when unknown.
	Intensity, Baseline float64
	// Quality of Intensity, in one word; empty when nobody said.
	Quality string
	// Until is until when Intensity holds; zero for good.
	Until time.Time
	// Run names the run that the pod belongs to.
	Run string
	// Models maps requested models to those to use instead.
	Models map[string]string
	// MaxGrams is the limit of this pod's emissions; nil for none.
	MaxGrams *estimate.Nanograms
	// Open is the breaker: no calls any more.
	Open bool
}

// undecided is what holds before anything was decided.
func undecided() *Decisions { return &Decisions{Intensity: math.NaN(), Baseline: math.NaN()} }

// Control reads decisions from a file of annotations, as the kubelet writes it into a downward-API
// volume: a line key="value" for each, the value quoted as in Go. The file is looked at for each call,
// so that a decision counts from the moment at which it is there.
type Control struct {
	path string
	log  *slog.Logger

	mu      sync.Mutex
	seen    fs.FileInfo
	current *Decisions
}

// NewControl reads decisions from the file at path; without a path nothing is ever decided.
func NewControl(path string, log *slog.Logger) *Control {
	return &Control{path: path, log: log, current: undecided()}
}

// Current are the decisions now. While the file cannot be read, or says something impossible, the
// ones before it hold.
func (c *Control) Current() *Decisions {
	if c.path == "" {
		return c.current
	}
	info, err := os.Stat(c.path) //nolint:gosec // the path of a flag, not of a request
	c.mu.Lock()
	defer c.mu.Unlock()
	if err != nil || c.isSeen(info) {
		return c.current
	}
	data, err := os.ReadFile(c.path) //nolint:gosec // as above
	if err != nil {
		return c.current
	}
	c.seen = info
	decisions, err := ParseDecisions(data)
	if err != nil {
		c.log.Error("Kept the decisions from before: the control file is not right", "error", err)
		return c.current
	}
	c.current = decisions
	return decisions
}

func (c *Control) isSeen(info fs.FileInfo) bool {
	return c.seen != nil && os.SameFile(c.seen, info) && c.seen.ModTime().Equal(info.ModTime()) && c.seen.Size() == info.Size()
}

// ParseDecisions reads a file of annotations. Annotations of others are passed over; an impossible
// value of ours is an error that names it.
func ParseDecisions(data []byte) (*Decisions, error) {
	d := undecided()
	lines := bufio.NewScanner(bytes.NewReader(data))
	lines.Buffer(nil, 1<<20) // all annotations of an object have at most 256 KiB
	for lines.Scan() {
		key, quoted, ok := strings.Cut(lines.Text(), "=")
		if !ok || !strings.HasPrefix(key, AnnotationPrefix) {
			continue
		}
		value, err := strconv.Unquote(quoted)
		if err != nil {
			return nil, fmt.Errorf("%s: the value is not a quoted string", key)
		}
		if err := d.set(key, value); err != nil {
			return nil, fmt.Errorf("%s: %w", key, err)
		}
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("reading the control file: %w", err)
	}
	return d, nil
}

func (d *Decisions) set(key, value string) (err error) {
	switch key {
	case AnnotationIntensity:
		d.Intensity, err = number(value, maxIntensity)
	case AnnotationBaseline:
		d.Baseline, err = number(value, maxIntensity)
	case AnnotationQuality:
		d.Quality = tidy(value)
	case AnnotationRun:
		d.Run = tidy(value)
	case AnnotationUntil:
		if d.Until, err = time.Parse(time.RFC3339, value); err != nil {
			err = fmt.Errorf("%q has to be a time such as 2026-11-24T12:30:00Z", value)
		}
	case AnnotationModels:
		if json.Unmarshal([]byte(value), &d.Models) != nil {
			err = errors.New("it has to be a JSON object from model to model")
		}
	case AnnotationMaxGrams:
		d.MaxGrams, err = limit(value)
	case AnnotationBreaker:
		d.Open, err = isOpen(value)
	}
	return err
}

func isOpen(value string) (bool, error) {
	if value != "open" && value != "closed" {
		return false, fmt.Errorf("%q has to be open or closed", value)
	}
	return value == "open", nil
}

func limit(value string) (*estimate.Nanograms, error) {
	grams, err := number(value, math.MaxInt32)
	if err != nil {
		return nil, err
	}
	nano, err := estimate.GramsToNano(grams)
	return &nano, err //nolint:wrapcheck // the caller names the annotation
}

func number(value string, most float64) (float64, error) {
	n, err := strconv.ParseFloat(value, 64)
	if err != nil || math.IsNaN(n) || n < 0 || n > most {
		return math.NaN(), fmt.Errorf("%q has to be a number from 0 to %.0f", value, most)
	}
	return n, nil
}
