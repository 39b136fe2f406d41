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
	"encoding/csv"
	"errors"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"testing"
)

// goldenRow is a row of the vectors by column.
type goldenRow map[string]string

func (r goldenRow) number(t *testing.T, column string) float64 {
	t.Helper()
	v, err := strconv.ParseFloat(r[column], 64)
	if err != nil {
		t.Fatalf("%s: %v", column, err)
	}
	return v
}

func readGolden(t *testing.T) []goldenRow {
	t.Helper()
	path := filepath.Join("..", "..", "..", "shared", "data", "ecologits_golden.csv")
	file, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		t.Skipf("SKIPPED: the golden vectors of EcoLogits are not part of this repository (%s)", path)
	}
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = file.Close() }()
	lines, err := csv.NewReader(file).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	var rows []goldenRow
	for _, line := range lines[1:] {
		row := goldenRow{}
		for i, column := range lines[0] {
			row[column] = line[i]
		}
		rows = append(rows, row)
	}
	return rows
}

// TestEcoLogitsOwnVectors holds our numbers, from our own table of models, against those that
// EcoLogits' own functions gave.
func TestEcoLogitsOwnVectors(t *testing.T) {
	compared := 0
	for i, row := range readGolden(t) {
		model, err := BuiltIn().Lookup(row["provider"], row["model"])
		if err != nil {
			t.Logf("row %d: %v", i+2, err)
			continue
		}
		method := EcoLogits010
		switch row["profile"] {
		case "0.11":
			method = EcoLogits011
		case "0.9": // the energies of 0.10, before speeds were known
			model.TokensPerSecond, model.FirstTokenSeconds = 0, 0
		}
		latency := math.Inf(1)
		if row["request_latency_s"] != "" {
			latency = row.number(t, "request_latency_s")
		}
		compareRow(t, i+2, row, model, method, latency)
		compared++
	}
	t.Logf("%d rows compared", compared)
	if compared < 244 {
		t.Errorf("only %d of 244 rows are about models of our table", compared)
	}
}

func compareRow(t *testing.T, line int, row goldenRow, model Model, method Method, latency float64) {
	t.Helper()
	tokens := row.number(t, "output_tokens")
	got := model.inference(method, 1, tokens, latency)
	low := model.request(method, 1, tokens, latency, Range{model.Active.Min, model.Total.Min})
	high := model.request(method, 1, tokens, latency, Range{model.Active.Max, model.Total.Max})
	gramsPerKWh := row.number(t, "zone_gwp_kg_per_kwh") * 1000
	for column, value := range map[string]float64{
		"pue_min": got.PUE.Min, "pue_max": got.PUE.Max,
		"active_b_min": model.Active.Min, "active_b_max": model.Active.Max,
		"total_b_min": model.Total.Min, "total_b_max": model.Total.Max,
		"gpus_min": low.gpus, "gpus_max": high.gpus,
		"latency_s_min_model": low.seconds, "latency_s_max_model": high.seconds,
		"energy_kwh_min": got.KWh.Min, "energy_kwh_mean": got.KWh.Mean(), "energy_kwh_max": got.KWh.Max,
		"embodied_gwp_kg_min": got.EmbodiedGrams.Min / 1000, "embodied_gwp_kg_max": got.EmbodiedGrams.Max / 1000,
		"usage_gwp_kg_min": got.KWh.Min * gramsPerKWh / 1000, "usage_gwp_kg_max": got.KWh.Max * gramsPerKWh / 1000,
	} {
		want := row.number(t, column)
		if math.Abs(value-want) > 1e-9*math.Abs(want) {
			t.Errorf("line %d, %s %s, %v tokens: %s is %v, want %v", line, row["profile"], row["model"], tokens, column, value, want)
		}
	}
}
