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
	"os"
	"runtime/debug"

	"github.com/KimMachineGun/automemlimit/memlimit"
	"github.com/go-logr/logr"
)

const (
	// memoryShare is the part of the container's memory limit that the Go runtime keeps to; the rest is
	// for what it does not count.
	memoryShare = 0.9
	// garbagePercent lets half as much garbage as live memory gather: most of what is live are waiting
	// jobs, and the operator has processor time to spare.
	garbagePercent = 50
)

// limitMemory makes the Go runtime keep within the memory limit of the container, if it has one.
// GOMEMLIMIT and GOGC in the environment come first.
func limitMemory(logger logr.Logger) {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(garbagePercent)
	}
	if _, err := memlimit.Set(memlimit.WithRatio(memoryShare)); err != nil {
		logger.Info("Found no memory limit to keep to", "reason", err.Error())
	}
}
