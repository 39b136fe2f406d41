{{/* Names begin with the name of the release, as those of kustomize begin with ecotracker-. */}}
{{- define "ecotracker.manager" -}}
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
