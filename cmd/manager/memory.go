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
	"context"
	"os"
	"runtime/debug"
	"runtime/metrics"
	"time"

	"github.com/KimMachineGun/automemlimit/memlimit"
	"github.com/go-logr/logr"
)

const (
	// memoryShare is the part of the container's memory limit that the Go runtime keeps to; the rest is
	// for what it does not count.
	memoryShare = 0.9
	// garbagePercent lets half as much garbage as live memory gather at rest: most of what is live are waiting
	// jobs, and the operator has processor time to spare.
	garbagePercent = 50
	// busyGarbagePercent is what may gather while much is to be done, so that a look at a job costs no more where many
	// wait: what a collection costs grows with what is live. What a burst leaves is given back after it. Not so the holes
	// that garbage leaves between what stays, such as the jobs that are read at a start-up: they were a quarter of the heap
	// of 50,000 jobs. So this is not for while what is live grows.
	busyGarbagePercent = 100
	// leastGarbage, in bytes, may gather in any case, up to mostGarbagePercent: to collect it costs as much as what is
	// live is large, which a manager with few jobs and much to do would otherwise pay all the time.
	leastGarbage       = 32 << 20
	mostGarbagePercent = 200
)

// garbagePercentFor is how much garbage may gather beside what is live now, in percent of it; before is the look before
// this one.
func garbagePercentFor(now, before memory) int {
	least := uint64(garbagePercent)
	if !now.grows && float64(now.allocated-before.allocated) > busyShare*float64(now.live) {
		least = busyGarbagePercent
	}
	percent := 100 * leastGarbage / max(1, now.live) / 10 * 10 // in tens, so that it does not change all the time
	return int(max(least, min(mostGarbagePercent, percent)))
}

// limitMemory makes the Go runtime keep within the memory limit of the container, if it has one.
// GOMEMLIMIT and GOGC in the environment come first.
func limitMemory(logger logr.Logger) {
	if garbageIsOurs() {
		debug.SetGCPercent(garbagePercent)
	}
	if _, err := memlimit.Set(memlimit.WithRatio(memoryShare)); err != nil {
		logger.Info("Found no memory limit to keep to", "reason", err.Error())
	}
}

// garbageIsOurs says whether nobody else has told how much garbage may gather.
func garbageIsOurs() bool { return os.Getenv("GOGC") == "" }

const (
	// garbageLook is how often it is told anew how much garbage may gather.
	garbageLook = 2 * time.Second
	// busyShare is how much is allocated between two such looks when there is much to do, as a part of what is live.
	busyShare = 0.05
	// growShare is how much more is live than at the look before when that grows, as a part of it.
	growShare = 0.05
	// memoryLook is how often memory is looked at.
	memoryLook = 20 * time.Second
	// idleShare is how much may be allocated between two looks, as a part of what is live, for the process to be idle.
	idleShare = 0.1
	// wasteShare is how much memory that is not live is kept, as a part of what is.
	wasteShare = 0.2
)

// memory is what is known of the heap, in bytes, and whether what is live grows.
type memory struct {
	live, held, allocated uint64
	grows                 bool
}

// growsSince says whether more is live than at the look before. Where nothing was collected since, nothing new is known.
func (m memory) growsSince(before memory) bool {
	if m.live == before.live {
		return before.grows
	}
	return float64(m.live) > (1+growShare)*float64(before.live)
}

// isWasteful says whether an idle process keeps much more memory than it uses: what a burst of work has left,
// which the runtime would give back over many minutes.
func (m memory) isWasteful(before memory) bool {
	idle := float64(m.allocated-before.allocated) < idleShare*float64(m.live)
	return idle && float64(m.held) > (1+wasteShare)*float64(m.live)
}

func readMemory() memory {
	samples := []metrics.Sample{
		{Name: "/gc/heap/live:bytes"},
		{Name: "/gc/heap/allocs:bytes"},
		{Name: "/memory/classes/heap/objects:bytes"},
		{Name: "/memory/classes/heap/unused:bytes"},
		{Name: "/memory/classes/heap/free:bytes"},
	}
	metrics.Read(samples)
	value := func(i int) uint64 { return samples[i].Value.Uint64() }
	return memory{live: value(0), allocated: value(1), held: value(2) + value(3) + value(4)}
}

// memoryGiver tells how much garbage may gather, and gives memory back when a burst of work is over: most of the
// time nothing is to be done but to wait.
type memoryGiver struct{}

// NeedLeaderElection says that a standby gives memory back as well.
func (memoryGiver) NeedLeaderElection() bool { return false }

// Start looks at the memory until the context ends.
func (memoryGiver) Start(ctx context.Context) error {
	garbage, ticker := time.NewTicker(garbageLook), time.NewTicker(memoryLook)
	defer garbage.Stop()
	defer ticker.Stop()
	given, looked, percent := memory{}, memory{}, garbagePercent
	for before := readMemory(); ; {
		select {
		case <-ctx.Done():
			return nil
		case <-garbage.C:
			// Setting it stops the world for a moment, so not for nothing.
			now := readMemory()
			now.grows = now.growsSince(looked)
			if is := garbagePercentFor(now, looked); garbageIsOurs() && is != percent {
				percent = is
				debug.SetGCPercent(percent)
			}
			looked = now
			continue
		case <-ticker.C:
		}
		now := readMemory()
		// What cannot be given back, between objects that live, is not tried again and again.
		if now.isWasteful(before) && now.allocated-given.allocated > now.live/2 {
			debug.FreeOSMemory()
			now = readMemory()
			given = now
		}
		before = now
	}
}
