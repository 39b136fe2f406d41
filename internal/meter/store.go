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
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"
)

// saveEvery is the least time between two saves: so much may be lost when the meter is killed.
const saveEvery = 100 * time.Millisecond

// Store keeps the counts outside of the process.
type Store struct {
	// StatePath is a file that outlives a restart of the container; empty for none.
	StatePath string
	// MessagePath is the container's termination message; empty for none.
	MessagePath string

	// Told says that the meter has ended once to tell that its breaker is open.
	Told bool

	lost    bool
	changed chan struct{}
}

// NewStore keeps counts in these files.
func NewStore(statePath, messagePath string) *Store {
	return &Store{StatePath: statePath, MessagePath: messagePath, changed: make(chan struct{}, 1)}
}

// Load reads the counts of before a restart. When the file is there but cannot be read, that is an
// error, and the reports to come will say that counts were lost.
func (s *Store) Load() ([]Line, error) {
	if s.StatePath == "" {
		return nil, nil
	}
	data, err := os.ReadFile(s.StatePath)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err == nil {
		var report *Report
		if report, err = ParseReport(data); err == nil {
			s.lost, s.Told = report.Lost, report.Told
			return report.Lines, nil
		}
	}
	s.lost = true
	return nil, fmt.Errorf("the counts of before the restart are lost: %w", err)
}

// Changed says that there is something to save. It does not block.
func (s *Store) Changed() {
	select {
	case s.changed <- struct{}{}:
	default:
	}
}

// Run saves the counts after each change until the context ends, but not without a pause.
func (s *Store) Run(ctx context.Context, report func() Report, failed func(error)) {
	pause := time.NewTimer(0)
	defer pause.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-pause.C:
		}
		select {
		case <-ctx.Done():
			return
		case <-s.changed:
		}
		if err := s.Save(report()); err != nil {
			failed(err)
		}
		pause.Reset(saveEvery)
	}
}

// Save writes both files.
func (s *Store) Save(report Report) error {
	report.Lost, report.Told = s.lost, s.Told
	return errors.Join(s.saveState(report), s.saveMessage(report))
}

// saveState replaces the file as a whole, so that a kill leaves the old one or the new one.
func (s *Store) saveState(r Report) error {
	if s.StatePath == "" {
		return nil
	}
	next := s.StatePath + ".next"
	err := os.WriteFile(next, r.encode(1<<20), 0o600)
	if err == nil {
		err = os.Rename(next, s.StatePath)
	}
	if err != nil {
		return fmt.Errorf("saving the counts: %w", err)
	}
	return nil
}

// saveMessage overwrites the termination message in place, because it is a mounted file. A kill in
// between leaves the end of a longer message behind the report, which its readers pass over.
func (s *Store) saveMessage(r Report) error {
	if s.MessagePath == "" {
		return nil
	}
	file, err := os.OpenFile(s.MessagePath, os.O_WRONLY|os.O_CREATE, 0o600)
	if err != nil {
		return fmt.Errorf("writing the termination message: %w", err)
	}
	message := r.encode(maxMessage)
	_, err = file.WriteAt(message, 0)
	if err == nil {
		err = file.Truncate(int64(len(message)))
	}
	if err = errors.Join(err, file.Close()); err != nil {
		return fmt.Errorf("writing the termination message: %w", err)
	}
	return nil
}
