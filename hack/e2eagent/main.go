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

// Command e2eagent plays a job's container and its LLM provider in the end-to-end tests of the meter:
//
//	agent serve             is a provider at port 8080
//	agent loop N            makes N calls one after the other and stops at the first error
//	agent nested            makes a call that leads to two parallel ones, and sums up in a fourth
//	agent until-refused     makes calls until one is refused
//	agent stubborn          makes calls for ever, whether they are refused or not
//	agent killing           makes two calls, kills the meter, and makes two more
//
// It finds the provider where SDKs do, in OPENAI_BASE_URL, asks for the model in OPENAI_MODEL, and
// prints the model of each answer.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/ecotracker-dev/ecotracker-operator/internal/testing/llm"
)

// errRefused says that the breaker is open.
var errRefused = errors.New("refused")

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	err := run(ctx, os.Args[1:], os.Stdout)
	stop()
	if err != nil {
		_, _ = fmt.Fprintln(os.Stdout, "agent:", err) // a log keeps the order of one stream only
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, out io.Writer) error {
	switch strings.Join(args[:min(1, len(args))], "") {
	case "serve":
		return serve(ctx)
	case "loop":
		return loop(ctx, args[1], out)
	case "nested":
		return nested(ctx, out)
	case "killing":
		return killing(ctx, out)
	case "stubborn":
		return stubborn(ctx, out)
	case "until-refused":
		return untilRefused(ctx, out)
	}
	return errors.New("unknown command")
}

// loop makes as many calls as it is told.
func loop(ctx context.Context, count string, out io.Writer) error {
	n, err := strconv.Atoi(count)
	for i := 0; err == nil && i < n; i++ {
		err = call(ctx, out)
	}
	return err
}

// stubborn calls until it is stopped, whatever the meter says.
func stubborn(ctx context.Context, out io.Writer) error {
	for ctx.Err() == nil {
		if err := call(ctx, out); err != nil && !errors.Is(err, errRefused) && !isGone(err) {
			return err
		}
		time.Sleep(100 * time.Millisecond)
	}
	return nil
}

// untilRefused calls until the breaker is open.
func untilRefused(ctx context.Context, out io.Writer) error {
	for {
		if err := call(ctx, out); errors.Is(err, errRefused) {
			return nil
		} else if err != nil {
			return err
		}
		time.Sleep(100 * time.Millisecond)
	}
}

func serve(ctx context.Context) error {
	server := &http.Server{Addr: ":8080", Handler: &llm.Server{}, ReadHeaderTimeout: time.Minute}
	context.AfterFunc(ctx, func() { _ = server.Close() })
	if err := server.ListenAndServe(); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serving: %w", err)
	}
	return nil
}

func nested(ctx context.Context, out io.Writer) error {
	if err := call(ctx, out); err != nil {
		return err
	}
	var group sync.WaitGroup
	errs := make([]error, 2)
	for i := range errs {
		group.Go(func() { errs[i] = call(ctx, io.Discard) })
	}
	group.Wait()
	return errors.Join(append(errs, call(ctx, out))...)
}

// killing kills the meter once it has saved its counts, and tries again until it is back, as SDKs do.
func killing(ctx context.Context, out io.Writer) error {
	for range 2 {
		if err := call(ctx, out); err != nil {
			return err
		}
	}
	time.Sleep(time.Second)
	if err := killMeter(); err != nil {
		return err
	}
	for made := 0; made < 2; time.Sleep(100 * time.Millisecond) {
		if err := call(ctx, out); err == nil {
			made++
		} else if !isGone(err) {
			return err
		}
	}
	return nil
}

// isGone says that nobody listens, for the moment.
func isGone(err error) bool {
	return errors.Is(err, syscall.ECONNREFUSED) || errors.Is(err, syscall.ECONNRESET) || errors.Is(err, io.EOF)
}

// killMeter finds the meter among the processes of the pod.
func killMeter() error {
	files, err := filepath.Glob("/proc/[0-9]*/cmdline")
	if err != nil {
		return err
	}
	for _, file := range files {
		line, err := os.ReadFile(file) //nolint:gosec // G304: a file of /proc
		if err != nil || !strings.Contains(string(line), "--termination-message") {
			continue
		}
		pid, err := strconv.Atoi(filepath.Base(filepath.Dir(file)))
		if err != nil {
			return err
		}
		return syscall.Kill(pid, syscall.SIGKILL)
	}
	return errors.New("there is no meter")
}

// call makes one call, as a stream, and prints the model that answered.
func call(ctx context.Context, out io.Writer) error {
	body := fmt.Sprintf(`{"model":%q,"stream":true,"messages":[{"role":"user","content":"hi"}]}`, os.Getenv("OPENAI_MODEL"))
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, os.Getenv("OPENAI_BASE_URL")+"/chat/completions", strings.NewReader(body)) //nolint:gosec // G704: the test says where to
	if err != nil {
		return err
	}
	r.Header.Set("Authorization", "Bearer sk-SECRET")
	answer, err := http.DefaultClient.Do(r) //nolint:gosec // G704: the test says where to
	if err != nil {
		return err
	}
	defer func() { _ = answer.Body.Close() }()
	text, err := io.ReadAll(answer.Body)
	switch {
	case err != nil:
		return err
	case answer.StatusCode == http.StatusForbidden && strings.Contains(string(text), "carbon budget exceeded"):
		return fmt.Errorf("%w: %s", errRefused, text)
	case answer.StatusCode != http.StatusOK:
		return fmt.Errorf("%s: %s", answer.Status, text)
	}
	first, _, _ := strings.Cut(strings.TrimPrefix(string(text), "data: "), "\n")
	var event struct{ Model string }
	if err := json.Unmarshal([]byte(first), &event); err != nil {
		return err
	}
	_, err = fmt.Fprintln(out, event.Model)
	return err
}
