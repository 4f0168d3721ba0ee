#!/bin/sh
# Writes the bill of materials of a program. The receiver was built from this folder, of which Go records only the path: its name is put in.
#
#   VERSION=0.1.0 sbom.sh PROGRAM DOCUMENT
set -e
receiver=github.com/otelcol-balena/balenareceiver
cyclonedx-gomod bin -json -noserial -notimestamp "$1" |
	sed -e "s#golang/\.\.@(devel)#golang/$receiver@v$VERSION#" \
		-e '/"name": "\.\."/,/"version"/s#"(devel)"#"v'"$VERSION"'"#' -e "s#\"name\": \"\.\.\"#\"name\": \"$receiver\"#" >"$2"
