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

// Package crdvalidate does to an object, in process and in milliseconds, what the API server does
// when the object is written: prune, default and validate it by the rules of a generated CRD, its
// CEL and transition rules included. It calls the API server's own code.
package crdvalidate

import (
	"context"

	structuralschema "k8s.io/apiextensions-apiserver/pkg/apiserver/schema"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/cel"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/cel/model"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/defaulting"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/listtype"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/objectmeta"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/pruning"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/validation"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/validation/field"
	celconfig "k8s.io/apiserver/pkg/apis/cel"
	"k8s.io/apiserver/pkg/cel/common"
)

// Validator treats the objects of one CRD as the API server would. It validates strictly, as
// kubectl asks for: an unknown field is an error, not only pruned.
type Validator struct {
	schema  *structuralschema.Structural
	openAPI validation.SchemaValidator
	rules   *cel.Validator
}

// Create turns obj into what the API server would store for a create, without a status, and
// returns what it would complain about.
func (v *Validator) Create(ctx context.Context, obj *unstructured.Unstructured) field.ErrorList {
	errs := v.decode(obj)
	delete(obj.Object, "status")
	errs = append(errs, validation.ValidateCustomResource(nil, obj.Object, v.openAPI)...)
	errs = append(errs, objectmeta.Validate(ctx, nil, obj.Object, v.schema, false)...)
	errs = append(errs, listtype.ValidateListSetsAndMaps(nil, v.schema, obj.Object)...)
	return v.checkRules(ctx, errs, obj, nil)
}

// Update turns obj into what the API server would store for an update of old, with old's status,
// and returns what it would complain about.
func (v *Validator) Update(ctx context.Context, obj, old *unstructured.Unstructured) field.ErrorList {
	errs := v.decode(obj)
	copyStatus(obj, old)
	return append(errs, v.validateUpdate(ctx, obj, old)...)
}

// UpdateStatus turns obj into what the API server would store for an update of old's status, with
// the rest of old, and returns what it would complain about.
func (v *Validator) UpdateStatus(ctx context.Context, obj, old *unstructured.Unstructured) field.ErrorList {
	errs := v.decode(obj)
	updated := old.DeepCopy()
	copyStatus(updated, obj)
	obj.Object = updated.Object
	return append(errs, v.validateUpdate(ctx, obj, old)...)
}

// decode prunes and defaults obj, and returns an error for every field that it does not know.
func (v *Validator) decode(obj *unstructured.Unstructured) field.ErrorList {
	unknown := pruning.PruneWithOptions(obj.Object, v.schema, true,
		structuralschema.UnknownFieldPathOptions{TrackUnknownFieldPaths: true})
	defaulting.PruneNonNullableNullsWithoutDefaults(obj.Object, v.schema)
	defaulting.Default(obj.Object, v.schema)

	errs := make(field.ErrorList, 0, len(unknown))
	for _, path := range unknown {
		errs = append(errs, field.Forbidden(field.NewPath(path), "unknown field"))
	}
	return errs
}

// validateUpdate lets an old value that has become invalid stay as it is ("ratcheting").
func (v *Validator) validateUpdate(ctx context.Context, obj, old *unstructured.Unstructured) field.ErrorList {
	pair := common.NewCorrelatedObject(obj.Object, old.Object, &model.Structural{Structural: v.schema})
	errs := validation.ValidateCustomResourceUpdate(nil, obj.Object, old.Object, v.openAPI, validation.WithRatcheting(pair))
	errs = append(errs, objectmeta.Validate(ctx, nil, obj.Object, v.schema, false)...)
	if len(listtype.ValidateListSetsAndMaps(nil, v.schema, old.Object)) == 0 {
		errs = append(errs, listtype.ValidateListSetsAndMaps(nil, v.schema, obj.Object)...)
	}
	return v.checkRules(ctx, errs, obj, old, cel.WithRatcheting(pair))
}

// checkRules adds what the CEL rules complain about, unless an error found before makes them
// meaningless. old is nil for a create.
func (v *Validator) checkRules(
	ctx context.Context, errs field.ErrorList, obj, old *unstructured.Unstructured, options ...cel.Option,
) field.ErrorList {
	for _, err := range errs {
		switch err.Type {
		case field.ErrorTypeNotSupported, field.ErrorTypeRequired, field.ErrorTypeTooLong,
			field.ErrorTypeTooMany, field.ErrorTypeTypeInvalid:
			return append(errs, field.Invalid(nil, nil, "some validation rules were not checked because "+
				"the object was invalid; correct the existing errors to complete validation"))
		default:
		}
	}
	var oldContent any // a typed nil would count as an old object
	if old != nil {
		oldContent = old.Object
	}
	found, _ := v.rules.Validate(ctx, nil, v.schema, obj.Object, oldContent, celconfig.RuntimeCELCostBudget, options...)
	return append(errs, found...)
}

// copyStatus gives an object the status of another one, or none when that has none.
func copyStatus(into, from *unstructured.Unstructured) {
	if status, has := from.Object["status"]; has {
		into.Object["status"] = status
	} else {
		delete(into.Object, "status")
	}
}
