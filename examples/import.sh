#!/bin/bash
# import.sh BUNDLES: makes an image web:TAG of each BUNDLES/web/TAG with `docker import`.
set -euo pipefail
bundles=${1:?usage: import.sh BUNDLES}
for folder in "$bundles"/web/*/; do
  tag=$(basename "$folder")
  case $tag in
    broken) command='["/web", "--fail"]' ;;
    crashing) command='["/web", "--crash"]' ;;
    unhealthy) command='["/web", "--unhealthy"]' ;;
    *) command='["/web"]' ;;
  esac
  changes=(--change "CMD $command")
  if [ "$tag" = unhealthy ]; then
    changes+=(--change 'HEALTHCHECK --interval=1s --timeout=1s --retries=2 CMD ["/web", "--check"]')
  fi
  tar -C "$folder" -c . | docker import "${changes[@]}" - "web:$tag" >/dev/null
  echo "web:$tag"
done
