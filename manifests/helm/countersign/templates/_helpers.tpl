{{/* The image reference; a digest goes before the tag. */}}
{{- define "countersign.image" -}}
{{- if .Values.image.digest -}}
{{ .Values.image.repository }}@{{ .Values.image.digest }}
{{- else -}}
{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}
{{- end -}}
{{- end -}}

{{/* The limits; memory follows the configuration, unless they are given. */}}
{{- define "countersign.limits" -}}
{{- $memory := printf "%dMi" (.Values.configuration.literals.memoryMebibytes | int) -}}
{{- toJson (.Values.resources.limits | default (dict "memory" $memory)) -}}
{{- end -}}

{{/* A list of names as CEL writes it. */}}
{{- define "countersign.cel" -}}
{{- toJson . | replace "\"" "'" | replace "," ", " -}}
{{- end -}}
