{{/* The release's own name: the start of every object's. */}}
{{- define "chorus.fullname" -}}
{{- if contains .Chart.Name .Release.Name }}{{ .Release.Name | trunc 40 | trimSuffix "-" }}{{ else }}{{ printf "%s-%s" .Release.Name .Chart.Name | trunc 40 | trimSuffix "-" }}{{ end }}
{{- end }}

{{- define "chorus.selector" -}}
app.kubernetes.io/name: chorus
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "chorus.labels" -}}
{{ include "chorus.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
{{- end }}

{{/* Called with {root, tag}: the workload's own tag wins over the digest or the tag of all. */}}
{{- define "chorus.image" -}}
{{- $image := .root.Values.image }}
{{- if .tag }}{{ $image.repository }}:{{ .tag }}
{{- else if $image.digest }}{{ $image.repository }}@{{ $image.digest }}
{{- else }}{{ $image.repository }}:{{ $image.tag | default .root.Chart.AppVersion }}{{ end }}
{{- end }}

{{/*
The table, worked out: key -> {key, role, of, name, component, args, kind, port, partitions, limit, row}. `of` is the feed or
destination; `limit` the most replicas that have a partition each.
*/}}
{{- define "chorus.workloads" -}}
{{- $root := . }}
{{- $all := dict }}
{{- $topics := .Values.config.topics | default dict }}
{{- range $key, $own := .Values.workloads }}
  {{- $row := mergeOverwrite (deepCopy $root.Values.defaults) (deepCopy ($own | default dict)) }}
  {{- /* A row's own budget is a whole one: minAvailable beside the default's maxUnavailable would be refused. */}}
  {{- with ($own | default dict).pdb }}{{ $_ := set $row "pdb" . }}{{ end }}
  {{- if $row.enabled }}
    {{- $parts := splitn "." 2 $key }}
    {{- $role := $parts._0 }}
    {{- $of := $parts._1 | default "" }}
    {{- $component := replace "." "-" $key }}
    {{- $w := dict "key" $key "role" $role "of" $of "component" $component "row" $row "kind" "StatefulSet" "port" 9600 }}
    {{- $_ := set $w "name" (printf "%s-%s" (include "chorus.fullname" $root) $component) }}
    {{- $args := list $role }}
    {{- if eq $role "ingest" }}
      {{- $args = list "ingest" "--feed" $of }}
      {{- $workers := dig $of "workers" 1 ($root.Values.config.feeds | default dict) | int }}
      {{- $partitions := $topics.raw_partitions | default 6 | int }}
      {{- $_ := set $w "limit" (max 1 (div $partitions $workers)) }}
      {{- $_ := set $w "why" (printf "raw.%s has %d partitions (config.topics.raw_partitions), shared by %d workers a pod" $of $partitions $workers) }}
      {{- $_ := set $w "topic" (printf "raw.%s" $of) }}
    {{- else if eq $role "detect" }}
      {{- $_ := set $w "limit" ($topics.events_partitions | default 12 | int) }}
      {{- $_ := set $w "why" (printf "events has %d partitions (config.topics.events_partitions)" (int $w.limit)) }}
      {{- $_ := set $w "topic" "events" }}
    {{- else if eq $role "fuse" }}
      {{- $_ := set $w "limit" ($topics.alerts_partitions | default 4 | int) }}
      {{- $_ := set $w "why" (printf "anomalies has %d partitions (config.topics.alerts_partitions)" (int $w.limit)) }}
      {{- $_ := set $w "topic" "anomalies" }}
    {{- else if eq $role "deliver" }}
      {{- $args = list "deliver" "--destination" $of }}
      {{- $_ := set $w "limit" ($topics.alerts_partitions | default 4 | int) }}
      {{- $_ := set $w "why" (printf "alerts has %d partitions (config.topics.alerts_partitions)" (int $w.limit)) }}
      {{- $_ := set $w "topic" "alerts" }}
    {{- else if eq $role "canary" }}
      {{- $_ := set $w "limit" 1 }}
      {{- $_ := set $w "why" "each sends every canary" }}
    {{- else }}
      {{- $_ := set $w "port" 8080 }}
      {{- $sqlite := hasPrefix "sqlite:" (dig "database" "sqlite://chorus.db" ($root.Values.config.center | default dict)) }}
      {{- $_ := set $w "sqlite" $sqlite }}
      {{- $_ := set $w "kind" (ternary "StatefulSet" "Deployment" $sqlite) }}
      {{- $_ := set $w "limit" (ternary 1 16 $sqlite) }}
      {{- $_ := set $w "why" (ternary "SQLite is one process's file; several instances share PostgreSQL (config.center.database)" "16 instances are the most" $sqlite) }}
    {{- end }}
    {{- $_ := set $w "args" $args }}
    {{- $_ := set $all $key $w }}
  {{- end }}
{{- end }}
{{- $all | toJson }}
{{- end }}

{{/* The configuration of one workload as YAML: the sections of its role. Called with {root, w}. */}}
{{- define "chorus.config" -}}
{{- $c := deepCopy .root.Values.config }}
{{- $w := .w }}
{{- $out := dict "http" (mergeOverwrite (deepCopy ($c.http | default dict)) (dict "listen" (printf "%s:9600" .root.Values.listen))) }}
{{- if eq $w.role "center" }}
  {{- /* It speaks to no Kafka, but the file has to name one; it gets no credentials. */}}
  {{- $_ := set $out "kafka" (dict "bootstrap" $c.kafka.bootstrap) }}
  {{- $_ := set $out "center" (mergeOverwrite (deepCopy ($c.center | default dict)) (dict "listen" (printf "%s:8080" .root.Values.listen))) }}
{{- else }}
  {{- $sections := dict "ingest" (list "kafka" "topics" "registry" "secrets") "detect" (list "kafka" "topics" "registry" "detect") "fuse" (list "kafka" "topics" "registry" "fuse") "deliver" (list "kafka" "topics" "registry") "canary" (list "kafka" "topics" "registry") "topics" (list "kafka" "topics") }}
  {{- range get $sections $w.role }}
    {{- if hasKey $c . }}{{ $_ := set $out . (get $c .) }}{{ end }}
  {{- end }}
  {{- if and (eq $w.role "ingest") (hasKey ($c.feeds | default dict) $w.of) }}
    {{- $_ := set $out "feeds" (dict $w.of (get $c.feeds $w.of)) }}
  {{- end }}
  {{- if eq $w.role "deliver" }}
    {{- $_ := set $out "destinations" (dict $w.of (get ($c.destinations | default dict) $w.of)) }}
  {{- end }}
  {{- if has $w.role (list "deliver" "canary") }}
    {{- $_ := set $out "canary" (mergeOverwrite (deepCopy ($c.canary | default dict)) (dict "feeds" (include "chorus.canaryFeeds" .root | fromJsonArray))) }}
  {{- end }}
{{- end }}
{{- $out | toYaml | replace "{workload}" $w.name | replace "{center}" (printf "%s-center" (include "chorus.fullname" .root)) }}
{{- end }}

{{/*
The feeds that have canaries, as a JSON list: those of the configuration, else those that are read here and accept the format
chorus. None without the workload that sends them: nobody must miss what nobody sends.
*/}}
{{- define "chorus.canaryFeeds" -}}
{{- $workloads := include "chorus.workloads" . | fromJson }}
{{- $given := dig "feeds" nil (.Values.config.canary | default dict) }}
{{- $feeds := list }}
{{- $config := .Values.config.feeds | default dict }}
{{- if hasKey $workloads "canary" }}
  {{- if kindIs "slice" $given }}
    {{- $feeds = $given }}
  {{- else }}
    {{- range list "school" "hospital" "gate" "camera" "grid" }}
      {{- $formats := dig . "formats" list $config | default list }}
      {{- if and (hasKey $workloads (printf "ingest.%s" .)) (or (empty $formats) (has "chorus" $formats)) }}{{ $feeds = append $feeds . }}{{ end }}
    {{- end }}
  {{- end }}
{{- end }}
{{- $feeds | toJson }}
{{- end }}

{{/* The names of secrets that a configuration speaks of, as a JSON list. */}}
{{- define "chorus.secretsOf" -}}
{{- $names := list }}
{{- range regexFindAll "/run/secrets/chorus/[A-Za-z0-9._-]+" . -1 }}{{ $names = append $names (trimPrefix "/run/secrets/chorus/" .) }}{{ end }}
{{- $names | uniq | sortAlpha | toJson }}
{{- end }}

{{/* The names of volumes that a configuration speaks of, as a JSON list. */}}
{{- define "chorus.filesOf" -}}
{{- $names := list }}
{{- range regexFindAll "/etc/chorus/[A-Za-z0-9-]+" . -1 }}{{ $names = append $names (trimPrefix "/etc/chorus/" .) }}{{ end }}
{{- $names | uniq | sortAlpha | toJson }}
{{- end }}

{{/* Kafka's ports: those of the bootstrap and those that are named besides, as a JSON list of numbers. */}}
{{- define "chorus.kafkaPorts" -}}
{{- $ports := list }}
{{- range splitList "," .Values.config.kafka.bootstrap }}{{ $ports = append $ports (regexFind "[0-9]+$" . | int) }}{{ end }}
{{- range .Values.network.kafkaPorts }}{{ $ports = append $ports (int .) }}{{ end }}
{{- $ports | uniq | toJson }}
{{- end }}

{{/* The port of an address with a scheme. */}}
{{- define "chorus.portOf" -}}
{{- $host := (urlParse .).host }}
{{- $explicit := regexFind ":[0-9]+$" $host }}
{{- if $explicit }}{{ trimPrefix ":" $explicit }}{{ else if hasPrefix "https:" . }}443{{ else if hasPrefix "postgres" . }}5432{{ else }}80{{ end }}
{{- end }}

{{/* A port and those that a workload names besides, as ports of a NetworkPolicy. Called with {port, more}. */}}
{{- define "chorus.policyPorts" -}}
{{- $ports := list (int .port) }}
{{- range .more }}{{ $ports = append $ports (int .) }}{{ end }}
{{- range $ports | uniq }}
- {protocol: TCP, port: {{ . }}}
{{- end }}
{{- end }}

{{/* Of a pod: volumes and mounts of the workload's configuration. Called with {root, w}. */}}
{{- define "chorus.volumes" -}}
{{- $root := .root }}{{ $w := .w }}
{{- $config := include "chorus.config" . }}
- name: config
  configMap: {name: {{ $w.name }}}
{{- $secrets := include "chorus.secretsOf" $config | fromJsonArray }}
{{- if $secrets }}
- name: secrets
  projected:
    defaultMode: 0440
    sources:
      {{- range $secrets }}
      {{- $entry := get $root.Values.secrets . }}
      - secret:
          name: {{ $entry.secret | replace "{workload}" $w.name }}
          items: [{key: {{ $entry.key | quote }}, path: {{ . | quote }}}]
      {{- end }}
{{- end }}
{{- range include "chorus.filesOf" $config | fromJsonArray }}
- name: files-{{ . }}
  {{- with get $root.Values.files . }}
  {{- if .configMap }}
  configMap: {name: {{ .configMap }}}
  {{- else }}
  persistentVolumeClaim: {claimName: {{ .persistentVolumeClaim }}, readOnly: true}
  {{- end }}
  {{- end }}
{{- end }}
{{- end }}

{{- define "chorus.mounts" -}}
{{- $config := include "chorus.config" . }}
- {name: config, mountPath: /etc/chorus/config, readOnly: true}
{{- if include "chorus.secretsOf" $config | fromJsonArray }}
- {name: secrets, mountPath: /run/secrets/chorus, readOnly: true}
{{- end }}
{{- range include "chorus.filesOf" $config | fromJsonArray }}
- {name: files-{{ . }}, mountPath: /etc/chorus/{{ . }}, readOnly: true}
{{- end }}
{{- end }}

{{/* Restricted Pod Security in full. */}}
{{- define "chorus.podSecurity" -}}
runAsNonRoot: true
runAsUser: 65532
runAsGroup: 65532
fsGroup: 65532
fsGroupChangePolicy: OnRootMismatch
seccompProfile: {type: RuntimeDefault}
{{- end }}

{{- define "chorus.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
runAsNonRoot: true
capabilities: {drop: [ALL]}
{{- end }}
