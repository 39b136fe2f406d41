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

// Package version tells from which version of this project a binary was built.
package version

import (
	"fmt"
	"runtime"
	"runtime/debug"
)

// stamped is set by the linker: make and hack/release.sh pass what git describe says.
var stamped string

// String is the version and what it was built with, for example "v0.1.0 (go1.26.8, linux/arm64)".
// Without a stamp it is what the Go command recorded of the module, "(devel)" if that is nothing.
func String() string {
	name := stamped
	if info, ok := debug.ReadBuildInfo(); ok && name == "" {
		name = info.Main.Version
	}
	if name == "" {
		name = "(devel)"
	}
	return fmt.Sprintf("%s (%s, %s/%s)", name, runtime.Version(), runtime.GOOS, runtime.GOARCH)
}
