{{/* What a schema cannot say. Each message names the key and what is allowed. */}}
{{- define "chorus.check" -}}
{{- $root := . }}
{{- $c := .Values.config }}
{{- range splitList "," $c.kafka.bootstrap }}
  {{- if not (regexMatch "^(\\[[0-9a-fA-F:]+\\]|[A-Za-z0-9._-]+):[0-9]{1,5}$" .) }}{{ fail (printf "config.kafka.bootstrap: %q is no address: expected host:port,host:port" .) }}{{ end }}
  {{- if or (lt (regexFind "[0-9]+$" . | int) 1) (gt (regexFind "[0-9]+$" . | int) 65535) }}{{ fail (printf "config.kafka.bootstrap: %q: a port is 1 to 65535" .) }}{{ end }}
{{- end }}
{{- if and .Values.image.tag .Values.image.digest }}{{ fail "image.tag: not with image.digest, which would win: set the new digest, or image.digest=\"\" with a tag" }}{{ end }}
{{- if hasKey ($c.http | default dict) "listen" }}{{ fail "config.http.listen: set by the chart (value `listen`)" }}{{ end }}
{{- if hasKey ($c.center | default dict) "listen" }}{{ fail "config.center.listen: set by the chart (value `listen`)" }}{{ end }}
{{- if hasKey $c.kafka "assignment" }}{{ fail "config.kafka.assignment: set by the chart (workloads.NAME.assignment)" }}{{ end }}
{{- range $name, $d := $c.destinations | default dict }}
  {{- if not (regexMatch "^https?://[^/@?#\\s]+(/[^?#\\s]*)?$" $d.url) }}{{ fail (printf "config.destinations.%s.url: %q is no address: expected http:// or https://, host and path, without credentials, query or fragment" $name $d.url) }}{{ end }}
{{- end }}
{{- with $c.center }}
  {{- if not (regexMatch "^(sqlite:.+|postgres(ql)?://[^:/@]+@[^/@]+/.+)$" (.database | default "sqlite://chorus.db")) }}{{ fail (printf "config.center.database: expected sqlite:///var/lib/chorus/FILE or postgres://user@host:port/database, without a password") }}{{ end }}
{{- end }}

{{- range $key, $w := include "chorus.workloads" . | fromJson }}
  {{- $row := $w.row }}
  {{- $most := ternary $row.autoscaling.max $row.replicas $row.autoscaling.enabled | int }}
  {{- $what := ternary "autoscaling.max" "replicas" $row.autoscaling.enabled }}
  {{- if gt $most (int $w.limit) }}{{ fail (printf "workloads.%s.%s: %d are more than %d: %s; the others would do nothing" $key $what $most (int $w.limit) $w.why) }}{{ end }}
  {{- if $row.autoscaling.enabled }}
    {{- if gt (int $row.autoscaling.min) (int $row.autoscaling.max) }}{{ fail (printf "workloads.%s.autoscaling: min %d is above max %d" $key (int $row.autoscaling.min) (int $row.autoscaling.max)) }}{{ end }}
    {{- if not $root.Values.monitoring.prometheus }}{{ fail (printf "workloads.%s.autoscaling: needs monitoring.prometheus, the address that KEDA asks for the lag" $key) }}{{ end }}
    {{- if eq $row.assignment "ordinal" }}{{ fail (printf "workloads.%s.autoscaling: not with assignment ordinal: while replicas come and go two would read one partition" $key) }}{{ end }}
    {{- if eq $w.role "center" }}{{ fail "workloads.center.autoscaling: the centre has no lag to scale on" }}{{ end }}
  {{- end }}
  {{- if and (eq $row.assignment "ordinal") (not (has $w.role (list "center" "canary"))) }}
    {{- $there := lookup "apps/v1" "StatefulSet" $root.Release.Namespace $w.name }}
    {{- if $there }}
      {{- $has := $there.spec.replicas | int }}
      {{- if and (gt $has 0) (gt (int $row.replicas) 0) (ne $has (int $row.replicas)) }}{{ fail (printf "workloads.%s.replicas: %d run by ordinal; set 0 first and then %d, or two would read one partition meanwhile" $key $has (int $row.replicas)) }}{{ end }}
    {{- end }}
  {{- end }}
  {{- if and (eq $w.role "deliver") (not (hasKey ($c.destinations | default dict) $w.of)) }}{{ fail (printf "workloads.%s: config.destinations has no %s" $key $w.of) }}{{ end }}
  {{- if and (eq $w.role "ingest") (not (dig "rejects_key_file" "" ($c.secrets | default dict))) }}{{ fail (printf "workloads.%s: needs config.secrets.rejects_key_file: rejected bytes are sealed" $key) }}{{ end }}
  {{- if eq $w.role "center" }}
    {{- range list "key_file" "api_token_file" }}
      {{- if not (get ($c.center | default dict) .) }}{{ fail (printf "workloads.center: needs config.center.%s" .) }}{{ end }}
    {{- end }}
    {{- if and $w.sqlite (not (hasPrefix "sqlite:///var/lib/chorus/" (dig "database" "" $c.center))) }}{{ fail "config.center.database: SQLite's file must be on the volume: sqlite:///var/lib/chorus/FILE" }}{{ end }}
  {{- end }}
  {{- template "chorus.checkFiles" (dict "root" $root "w" $w) }}
{{- end }}
{{- $workloads := include "chorus.workloads" . | fromJson }}
{{- range include "chorus.canaryFeeds" . | fromJsonArray }}
  {{- if not (hasKey $workloads (printf "ingest.%s" .)) }}{{ fail (printf "config.canary.feeds: %s: there is no workload ingest.%s that would read its canaries" . .) }}{{ end }}
{{- end }}
{{- if and (or .Values.strimzi.topics .Values.strimzi.users) (not .Values.strimzi.cluster) }}{{ fail "strimzi.cluster: needed: the name of the Kafka resource" }}{{ end }}
{{- if and .Values.strimzi.users .Values.topicsJob }}{{ fail "topicsJob: not with strimzi.users: no user is made that may make topics; strimzi.topics makes them" }}{{ end }}
{{- end }}

{{/* Every file that a configuration names must come from somewhere. */}}
{{- define "chorus.checkFiles" -}}
{{- $config := include "chorus.config" . }}
{{- $root := .root }}{{ $key := .w.key }}
{{- range include "chorus.secretsOf" $config | fromJsonArray }}
  {{- if not (hasKey ($root.Values.secrets | default dict) .) }}{{ fail (printf "secrets.%s: missing: the configuration of %s names /run/secrets/chorus/%s" . $key .) }}{{ end }}
{{- end }}
{{- range include "chorus.filesOf" $config | fromJsonArray }}
  {{- if not (hasKey ($root.Values.files | default dict) .) }}{{ fail (printf "files.%s: missing: the configuration of %s names /etc/chorus/%s" . $key .) }}{{ end }}
{{- end }}
{{- range regexFindAll "(?m)^ *[a-z_.]*_file: .+$" $config -1 }}
  {{- if not (regexMatch ": *\"?(/run/secrets/chorus/|null)" .) }}{{ fail (printf "config: %s: a secret's file must be /run/secrets/chorus/NAME, with NAME under `secrets`" (trim .)) }}{{ end }}
{{- end }}
{{- end }}
