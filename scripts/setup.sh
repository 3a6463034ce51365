#!/bin/sh
# Installs what a fresh machine lacks. Quiet, and done in milliseconds, when
# nothing is missing.
#
#   scripts/setup.sh build    Go (checked, not installed), a C compiler, pkg-config, libzmq's headers
#   scripts/setup.sh vnpy     headless VeighNa, pinned, in .venvs/vnpy-<version>
#   scripts/setup.sh riskmanager  VeighNa's RiskManager 2.0, built from source for the bench, in .venvs/riskmanager
#
# Before it changes anything it says in one line what and why. What it cannot do
# ends in one sentence on stderr that says what to do, and exit code 1.
#
# HUB_PYTHON names the interpreter to make the environments with.
set -eu

cd "$(dirname "$0")/.."

vnpy_versions="4.5.0 4.4.0"
requirements=scripts/requirements-vnpy.txt
riskmanager=scripts/requirements-riskmanager.txt
venvs=.venvs
log=$venvs/setup.log

say() { echo "setup: $*" >&2; }

die() {
	say "$*"
	exit 1
}

have() { command -v "$1" >/dev/null 2>&1; }

# join A B C prints "A, B and C".
join() {
	text=$1
	shift
	while [ $# -gt 1 ]; do
		text="$text, $1"
		shift
	done
	[ $# -eq 0 ] || text="$text and $1"
	echo "$text"
}

# open_log takes the lock of this checkout, so that two makes at once do not
# install over each other, and empties the log.
open_log() {
	mkdir -p "$venvs" 2>/dev/null || die "cannot write here: make $PWD writable for this user, then run make again"
	exec 9>"$venvs/.lock"
	if have flock; then flock 9; fi
	: >"$log"
}

# apt_install WHY PACKAGES installs PACKAGES.
apt_install() {
	why=$1
	packages=$2
	have apt-get || die "$why, and there is no apt-get here: install it with this system's package manager (Fedora: dnf install gcc pkgconf zeromq-devel python3; Arch: pacman -S gcc pkgconf zeromq python), then run make again"
	as_root=
	if [ "$(id -u)" != 0 ]; then
		have sudo || die "$why, installing takes root, and there is no sudo here: run 'apt-get install -y $packages' as root, then run make again"
		as_root=sudo
		# Without a terminal a question for the password would hang for ever.
		[ -t 0 ] || as_root="sudo -n"
	fi
	say "installing $packages with ${as_root:+sudo }apt-get: $why"
	open_log
	# A list that cannot be refreshed (one dead source is enough) may still do.
	$as_root apt-get -o DPkg::Lock::Timeout=300 update >>"$log" 2>&1 9>&- || true
	# shellcheck disable=SC2086 # both are lists of words
	$as_root env DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=300 \
		install -y --no-install-recommends $packages >>"$log" 2>&1 9>&- ||
		die "apt-get could not install $packages (its output is in $log): check the network and the rights of this user, or run 'apt-get install -y $packages' as root, then run make again"
}

check_go() {
	want=$(sed -n 's/^go \([0-9]*\.[0-9]*\).*/\1/p' go.mod)
	have go || die "Go $want or newer is needed and there is no go on the PATH: install it from https://go.dev/dl/, then run make again"
	got=$(go version 2>/dev/null | sed -n 's/.*go\([0-9][0-9]*\.[0-9][0-9]*\).*/\1/p')
	[ -n "$got" ] || die "Go $want or newer is needed and 'go version' does not run: install it from https://go.dev/dl/, then run make again"
	if [ "${got%.*}" -lt "${want%.*}" ] || { [ "${got%.*}" -eq "${want%.*}" ] && [ "${got#*.}" -lt "${want#*.}" ]; }; then
		die "Go $want or newer is needed and $(command -v go) is Go $got: install a newer one from https://go.dev/dl/, then run make again"
	fi
}

# check_c fills $lacking (words for people) and $packages (words for apt-get).
check_c() {
	lacking=
	packages=
	compiler=${CC:-gcc}
	compiler=${compiler%% *}
	if ! have "$compiler"; then
		[ -z "${CC:-}" ] || die "CC is '$CC' and there is no such compiler: correct or unset it, then run make again"
		lacking="a C compiler|"
		packages="gcc libc6-dev"
	elif ! echo '#include <stdlib.h>' | "$compiler" -E -x c - >/dev/null 2>&1; then
		lacking="the C library's headers|"
		packages="libc6-dev"
	fi
	if ! have "${PKG_CONFIG:-pkg-config}"; then
		lacking="${lacking}pkg-config|"
		packages="$packages pkg-config"
		# Whether libzmq is there cannot be asked without it, and asking for it twice does no harm.
		lacking="${lacking}libzmq's headers|"
		packages="$packages libzmq3-dev"
	elif ! "${PKG_CONFIG:-pkg-config}" --exists 'libzmq >= 4.3'; then
		lacking="${lacking}libzmq's headers (4.3 or newer)|"
		packages="$packages libzmq3-dev"
	fi
	packages=${packages# }
}

setup_build() {
	check_go
	check_c
	if [ -n "$packages" ]; then
		# Go fetches its modules over TLS; an image with nothing in it has no roots to check with.
		if [ ! -e /etc/ssl/certs/ca-certificates.crt ] && [ -z "${SSL_CERT_FILE:-}" ]; then
			packages="$packages ca-certificates"
		fi
		old_ifs=$IFS
		IFS='|'
		# shellcheck disable=SC2086 # a list with | between
		what=$(join $lacking)
		IFS=$old_ifs
		apt_install "the build needs $what" "$packages"
		check_c
		[ -z "$packages" ] || die "$packages was installed and is still not found (see $log): check CC, PKG_CONFIG and PKG_CONFIG_PATH, then run make again"
	fi
}

# find_python sets $python to an interpreter that the pinned wheels exist for.
# Running each is the only proof: a pyenv shim exists for versions it refuses to run.
find_python() {
	seen=
	for candidate in ${HUB_PYTHON:-python3 python3.13 python3.12 python3.11 python3.10}; do
		have "$candidate" || continue
		version=$("$candidate" -I -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null) || continue
		case $version in
		3.10 | 3.11 | 3.12 | 3.13 | 3.14)
			python=$candidate
			return
			;;
		esac
		seen="$seen $candidate is $version;"
	done
	if [ -n "${HUB_PYTHON:-}" ]; then
		die "HUB_PYTHON is '$HUB_PYTHON', which is not a Python from 3.10 to 3.14 that runs:${seen:- it does not start;} correct or unset it, then run make again"
	fi
	die "the tests run stock VeighNa, which needs Python 3.10 to 3.14, and none was found${seen:+ (${seen# })}: install one (Debian: apt-get install python3 python3-venv) or name one in HUB_PYTHON, then run make again"
}

# new_venv DIR makes an empty environment with pip in it.
new_venv() {
	if "$python" -I -c 'import ensurepip, venv' 2>/dev/null; then
		module=venv
	elif "$python" -I -c 'import virtualenv' 2>/dev/null; then
		module=virtualenv
	else
		# Debian keeps ensurepip in a package of its own.
		apt_install "VeighNa's environment needs Python's venv module" "python$version-venv"
		module=venv
	fi
	"$python" -I -m $module "$1" >>"$log" 2>&1 9>&- ||
		die "$python could not make a virtual environment in $1 (see $log): install python$version-venv or name another Python in HUB_PYTHON, then run make again"
}

# is_complete VERSION: the stamp is written last, so an interrupted environment
# has none; starting it finds one whose base interpreter was upgraded or removed.
is_complete() {
	dir=$venvs/vnpy-$1
	[ -f "$dir/.complete" ] && read -r stamp <"$dir/.complete" && [ "$stamp" = "$1 $pins" ] &&
		"$dir/bin/python" -I -c 'import vnpy' 2>/dev/null
}

setup_vnpy() {
	pins=$(cksum <"$requirements")
	for v in $vnpy_versions; do
		is_complete "$v" && continue
		find_python
		say "installing VeighNa $v into $venvs/vnpy-$v ($python, about 140 MB): the tests connect stock clients to the hub"
		open_log
		is_complete "$v" && continue # another make was faster
		rm -rf "$dir"
		new_venv "$dir"
		env -u PYTHONPATH -u PYTHONHOME -u PIP_USER -u PIP_TARGET -u PIP_PREFIX \
			"$dir/bin/python" -m pip install --disable-pip-version-check --no-input --only-binary :all: --no-deps \
			"vnpy==$v" -r "$requirements" >>"$log" 2>&1 9>&- ||
			die "pip could not install VeighNa $v (its output is in $log): check the network, or PIP_INDEX_URL where packages come from a mirror, then run make again"
		# VeighNa makes ~/.vntrader when it is imported; not in the home of whoever runs make.
		HOME=$PWD/$dir "$dir/bin/python" -I -c 'import vnpy.trader.engine, vnpy_rpcservice' >>"$log" 2>&1 9>&- ||
			die "VeighNa $v was installed and does not start (see $log): name another Python in HUB_PYTHON, then run make again"
		echo "$v $pins" >"$dir/.complete"
	done
}

# setup_riskmanager builds what VeighNa publishes as source only: its rules are
# Cython, so a C compiler and Python's headers are needed. It lies beside the
# environments, in none of them: only the bench loads it.
setup_riskmanager() {
	setup_vnpy
	dir=$venvs/riskmanager
	python=$PWD/$venvs/vnpy-4.5.0/bin/python
	pins=$(cat "$riskmanager" "$requirements" | cksum)
	if [ -f "$dir/.complete" ] && read -r stamp <"$dir/.complete" && [ "$stamp" = "$pins" ]; then return; fi
	check_c
	[ -z "$packages" ] || setup_build
	header='import os, sysconfig, sys; sys.exit(not os.path.exists(os.path.join(sysconfig.get_path("include"), "Python.h")))'
	if ! "$python" -I -c "$header"; then
		version=$("$python" -I -c 'import sys; print("%d.%d" % sys.version_info[:2])')
		apt_install "VeighNa's RiskManager is built from source and needs Python's headers" "python$version-dev"
		"$python" -I -c "$header" || die "python$version-dev was installed and Python.h is still not found: name another Python in HUB_PYTHON, then run make again"
	fi
	say "building VeighNa's RiskManager into $dir (a minute): the bench measures the hub's rules beside its rules"
	open_log
	rm -rf "$dir"
	mkdir -p "$dir/build"
	for part in build riskmanager; do
		target=$dir
		[ $part != build ] || target=$dir/build
		sed -n "/^# $part/,/^\$/p" "$riskmanager" | grep -v '^#' >"$dir/pins" || true
		env -u PYTHONHOME -u PIP_USER -u PIP_TARGET -u PIP_PREFIX PYTHONPATH="$PWD/$dir/build" \
			"$python" -m pip install --disable-pip-version-check --no-input --no-deps --no-build-isolation --target "$target" -r "$dir/pins" >>"$log" 2>&1 9>&- ||
			die "pip could not build VeighNa's RiskManager (its output is in $log): check the network, or PIP_INDEX_URL where packages come from a mirror, then run make again"
	done
	rm -rf "$dir/build" "$dir/pins"
	echo "$pins" >"$dir/.complete"
}

[ $# -gt 0 ] || set -- help
for target in "$@"; do
	case $target in
	build) setup_build ;;
	vnpy) setup_vnpy ;;
	riskmanager) setup_riskmanager ;;
	*)
		say "usage: scripts/setup.sh build|vnpy|riskmanager ..."
		exit 2
		;;
	esac
done
