#!/bin/sh
# dpkg's purge takes the key and the data along, too.
set -e
if [ -d /run/systemd/system ]; then
	systemctl daemon-reload
fi
if [ "${1:-}" = purge ]; then
	rm -rf /etc/otelcol-balena /var/lib/otelcol-balena /var/lib/private/otelcol-balena
fi
