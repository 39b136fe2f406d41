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

// Command printenv is the workload of the end-to-end tests. It prints one line of JSON with the
// variables that PRINT_ENV names (separated by commas) and NODE_NAME, sleeps for SLEEP (a duration),
// and exits with EXIT_CODE. On SIGTERM it exits at once with 143, as a shell would report it.
package main

import (
	"encoding/json"
	"fmt"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"syscall"
	"time"
)

const terminated = 128 + int(syscall.SIGTERM)

func main() {
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, syscall.SIGTERM)
	values := map[string]string{"NODE_NAME": os.Getenv("NODE_NAME")}
	for name := range strings.SplitSeq(os.Getenv("PRINT_ENV"), ",") {
		if name != "" {
			values[name] = os.Getenv(name)
		}
	}
	line, err := json.Marshal(values)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Println(string(line))
	sleep, err := time.ParseDuration(os.Getenv("SLEEP"))
	if err != nil {
		sleep = 0 // not set
	}
	select {
	case <-time.After(sleep):
	case <-stop:
		os.Exit(terminated)
	}
	code, err := strconv.Atoi(os.Getenv("EXIT_CODE"))
	if err != nil {
		code = 0 // not set
	}
	os.Exit(code)
}
