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

package controller

import (
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
)

// Variables by which programs find an HTTP proxy, and what is not to go through it. Programs differ in
// which case they read.
var (
	proxyEnv   = []string{"HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"}
	noProxyEnv = []string{"NO_PROXY", "no_proxy"}
)

const loopback = "127.0.0.1"

// wireProxy gives the meter the proxy of the first container that has one, for it makes the calls now,
// and keeps the containers' calls to the meter from theirs.
func wireProxy(pod *corev1.PodSpec) []corev1.EnvVar {
	var env []corev1.EnvVar
	for _, c := range allContainers(pod) {
		if !slices.ContainsFunc(proxyEnv, func(name string) bool { return envIndex(c, name) >= 0 }) {
			continue
		}
		if env == nil {
			for _, name := range slices.Concat(proxyEnv, noProxyEnv) {
				if i := envIndex(c, name); i >= 0 && !strings.Contains(c.Env[i].Value, "$(") {
					env = append(env, *c.Env[i].DeepCopy())
				}
			}
		}
		for _, name := range noProxyEnv {
			keepFromProxy(c, name)
		}
	}
	return env
}

// keepFromProxy adds the meter's address to what a container does not send through its proxy.
func keepFromProxy(c *corev1.Container, name string) {
	i := envIndex(c, name)
	switch {
	case i < 0:
		c.Env = append(c.Env, corev1.EnvVar{Name: name, Value: loopback})
	case c.Env[i].ValueFrom != nil: // a variable may be made of those before it
		before := c.Env[i]
		before.Name = "CARBON_METER_" + name
		c.Env[i] = corev1.EnvVar{Name: name, Value: "$(" + before.Name + ")," + loopback}
		c.Env = slices.Insert(c.Env, i, before)
	default:
		c.Env[i].Value = strings.TrimPrefix(c.Env[i].Value+","+loopback, ",")
	}
}
