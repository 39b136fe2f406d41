{{/* Names begin with the name of the release, as those of kustomize begin with ecotracker-. The longest, that of the
Service of the metrics, may have 63 characters and no dots. */}}
{{- define "ecotracker.manager" -}}
{{- if or (gt (len .Release.Name) 36) (contains "." .Release.Name) -}}
{{- fail (printf "the release name %s: take one of at most 36 characters and without dots, Services are named after it" .Release.Name) -}}
{{- end -}}
{{ .Release.Name }}-controller-manager
{{- end }}

{{- define "ecotracker.selector" -}}
app.kubernetes.io/name: ecotracker-operator
control-plane: controller-manager
{{- end }}

{{- define "ecotracker.labels" -}}
app.kubernetes.io/name: ecotracker-operator
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ .Chart.Name }}-{{ .Chart.Version }}
{{- end }}

{{- define "ecotracker.subject" -}}
- kind: ServiceAccount
  name: {{ include "ecotracker.manager" . }}
  namespace: {{ .Release.Namespace }}
{{- end }}

{{/* The image of a part: by its digest, else by the tag that all have. */}}
{{- define "ecotracker.image" -}}
{{ .part.repository }}
{{- if .part.digest }}@{{ .part.digest }}{{ else }}:{{ .root.Values.image.tag | default .root.Chart.AppVersion }}{{ end }}
{{- end }}
