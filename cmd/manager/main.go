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

// Command manager runs the controllers of the EcoTracker operator.
package main

import (
	"fmt"
	"os"
	_ "time/tzdata" // budgets have time zones, and the image has no files of them

	ctrl "sigs.k8s.io/controller-runtime"

	"github.com/ecotracker-dev/ecotracker-operator/internal/version"
)

func main() {
	options, err := parseOptions(os.Args[1:])
	if err == nil && options.version {
		fmt.Println(version.String())
		return
	}
	if err == nil {
		err = run(ctrl.SetupSignalHandler(), options)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "manager:", err)
		os.Exit(1)
	}
}
