#!/bin/sh
# dpkg says remove or upgrade, rpm how many versions are left; apk says nothing and runs this only when the package goes.
set -e
case "${1:-remove}" in
	remove | 0)
		if [ -d /run/systemd/system ]; then
			systemctl disable --now otelcol-balena.service || :
		fi
		;;
esac
