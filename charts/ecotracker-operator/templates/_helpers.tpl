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
