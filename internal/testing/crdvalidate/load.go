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

package crdvalidate

import (
	"context"
	"fmt"
	"os"

	"k8s.io/apiextensions-apiserver/pkg/apis/apiextensions"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	crdvalidation "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/validation"
	structuralschema "k8s.io/apiextensions-apiserver/pkg/apiserver/schema"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/cel"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/defaulting"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/validation"
	celconfig "k8s.io/apiserver/pkg/apis/cel"
	"sigs.k8s.io/yaml"
)

// Load reads a CRD with one version from a YAML file. It fails when the API server would refuse
// the CRD, for example because its CEL rules may cost too much.
func Load(ctx context.Context, path string) (*Validator, error) {
	crd, err := readCRD(path)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	if err := crdvalidation.ValidateCustomResourceDefinition(ctx, crd).ToAggregate(); err != nil {
		return nil, fmt.Errorf("%s: the API server would refuse it: %w", path, err)
	}
	version, err := apiextensions.GetSchemaForVersion(crd, crd.Spec.Versions[0].Name)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	schema, err := structuralschema.NewStructural(version.OpenAPIV3Schema)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	if err := defaulting.PruneDefaults(schema); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	openAPI, _, err := validation.NewSchemaValidator(version.OpenAPIV3Schema)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return &Validator{
		schema:  schema,
		openAPI: openAPI,
		rules:   cel.NewValidator(schema, true, celconfig.PerCallLimit),
	}, nil
}

// readCRD returns the CRD in the form in which the API server works with it.
func readCRD(path string) (*apiextensions.CustomResourceDefinition, error) {
	raw, err := os.ReadFile(path) //nolint:gosec // G304: a test names its own CRD
	if err != nil {
		return nil, err
	}
	var external apiextensionsv1.CustomResourceDefinition
	if err := yaml.UnmarshalStrict(raw, &external); err != nil {
		return nil, err
	}
	if len(external.Spec.Versions) != 1 {
		return nil, fmt.Errorf("%d versions, want 1", len(external.Spec.Versions))
	}
	external.Status.StoredVersions = []string{external.Spec.Versions[0].Name}
	apiextensionsv1.SetObjectDefaults_CustomResourceDefinition(&external)

	var internal apiextensions.CustomResourceDefinition
	err = apiextensionsv1.Convert_v1_CustomResourceDefinition_To_apiextensions_CustomResourceDefinition(&external, &internal, nil)
	return &internal, err
}
