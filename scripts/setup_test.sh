#!/bin/sh
# Tests scripts/setup.sh: what it says, and that it does nothing when nothing is
# to be done. Each case runs a copy of the script in a project of its own, on a
# PATH that holds stubs and a few real tools, so nothing of this machine shows.
set -eu

root=$(cd "$(dirname "$0")/.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failed=0
cases=0

# begin NAME starts a case on a machine where all is there.
begin() {
	name=$1
	cases=$((cases + 1))
	project=$work/$cases/project
	bin=$work/$cases/bin
	mkdir -p "$project/scripts" "$bin"
	cp "$root/scripts/setup.sh" "$root/scripts/requirements-vnpy.txt" "$root/scripts/requirements-riskmanager.txt" "$project/scripts/"
	printf 'module tradehub\n\ngo 1.26.0\n' >"$project/go.mod"
	for tool in sh cat cksum dirname env mkdir mv rm sed cp chmod grep; do
		ln -s "$(command -v $tool)" "$bin/$tool"
	done
	calls=$work/$cases/calls
	: >"$calls"
	stub go 'echo "go version go1.26.8 linux/amd64"'
	stub gcc 'exit 0'
	stub pkg-config 'exit 0'
	stub id 'echo 0'
	# shellcheck disable=SC2016 # the stub expands it
	stub python3 '
case $* in
*version_info*) echo 3.11 ;;
*"import ensurepip"*) exit 0 ;;
*"import virtualenv"*) exit 1 ;;
*"-m venv "*) for dir; do :; done; mkdir -p "$dir/bin"; cp "$0" "$dir/bin/python" ;;
esac'
}

# stub NAME BODY puts a command on the PATH that notes its call, then does BODY.
stub() {
	rm -f "$bin/$1"
	printf '#!/bin/sh\necho "%s $*" >>"%s"\n%s\n' "$1" "$calls" "$2" >"$bin/$1"
	chmod +x "$bin/$1"
}

absent() {
	for tool in "$@"; do rm -f "$bin/$tool"; done
}

# setup ARGS runs the script and keeps its exit code, stdout and stderr.
setup() {
	code=0
	# shellcheck disable=SC2086 # nothing, or one NAME=value
	(cd / && env -i PATH="$bin" SSL_CERT_FILE=/none ${with:-} "$project/scripts/setup.sh" "$@") \
		>"$work/$cases/out" 2>"$work/$cases/err" </dev/null || code=$?
}

fail() {
	failed=$((failed + 1))
	echo "FAIL $name: $1" >&2
	sed 's/^/    stderr: /' "$work/$cases/err" >&2
	sed 's/^/    called: /' "$calls" >&2
}

wants_code() { [ "$code" = "$1" ] || fail "exit code $code, want $1"; }

# wants_quiet: not one byte on either stream.
wants_quiet() {
	if [ -s "$work/$cases/out" ] || [ -s "$work/$cases/err" ]; then fail "it spoke, and had nothing to say"; fi
}

# wants_last TEXT: the last line of stderr is the sentence TEXT.
wants_last() {
	got=$(sed -n '$p' "$work/$cases/err")
	[ "$got" = "setup: $1" ] || fail "last line is
    got:    $got
    want:   setup: $1"
}

wants_lines() {
	got=$(sed -n '$=' "$work/$cases/err")
	[ "${got:-0}" = "$1" ] || fail "${got:-0} lines on stderr, want $1"
}

wants_call() { grep -qxF "$1" "$calls" || fail "never called: $1"; }
wants_no_call() { ! grep -q "$1" "$calls" || fail "called, and should not be: $1"; }

begin "all is there"
setup build
wants_code 0
wants_quiet

begin "no arguments"
setup
wants_code 2
wants_last "usage: scripts/setup.sh build|vnpy|riskmanager ..."

begin "unknown target"
setup everything
wants_code 2
wants_last "usage: scripts/setup.sh build|vnpy|riskmanager ..."

begin "no Go"
absent go
setup build
wants_code 1
wants_lines 1
wants_last "Go 1.26 or newer is needed and there is no go on the PATH: install it from https://go.dev/dl/, then run make again"

begin "Go that does not run"
stub go 'exit 1'
setup build
wants_code 1
wants_last "Go 1.26 or newer is needed and 'go version' does not run: install it from https://go.dev/dl/, then run make again"

for old in 1.25.9 1.9 0.30; do
	begin "Go $old"
	stub go "echo 'go version go$old linux/amd64'"
	setup build
	wants_code 1
	wants_lines 1
	short=$(echo "$old" | sed 's/^\([0-9]*\.[0-9]*\).*/\1/')
	wants_last "Go 1.26 or newer is needed and $bin/go is Go $short: install a newer one from https://go.dev/dl/, then run make again"
done

for new in 1.26 1.27rc1 1.100.0 2.0; do
	begin "Go $new"
	stub go "echo 'go version go$new linux/amd64'"
	setup build
	wants_code 0
	wants_quiet
done

begin "no compiler, no apt-get"
absent gcc
setup build
wants_code 1
wants_lines 1
wants_last "the build needs a C compiler, and there is no apt-get here: install it with this system's package manager (Fedora: dnf install gcc pkgconf zeromq-devel python3; Arch: pacman -S gcc pkgconf zeromq python), then run make again"

begin "CC names no compiler"
with=CC=tcc-x
setup build
with=
wants_code 1
wants_last "CC is 'tcc-x' and there is no such compiler: correct or unset it, then run make again"

begin "nothing there, neither root nor sudo"
absent gcc pkg-config
stub apt-get 'exit 0'
stub id 'echo 1000'
setup build
wants_code 1
wants_lines 1
wants_last "the build needs a C compiler, pkg-config and libzmq's headers, installing takes root, and there is no sudo here: run 'apt-get install -y gcc libc6-dev pkg-config libzmq3-dev' as root, then run make again"
wants_no_call apt-get

begin "libzmq installed by root, said first"
stub pkg-config "[ -e '$work/installed' ]"
stub apt-get "case \$* in *install*) : >'$work/installed' ;; esac; cat '$project/../err' >'$project/../err-at-$cases'"
setup build
wants_code 0
wants_lines 1
wants_last "installing libzmq3-dev with apt-get: the build needs libzmq's headers (4.3 or newer)"
wants_call "apt-get -o DPkg::Lock::Timeout=300 update"
wants_call "apt-get -o DPkg::Lock::Timeout=300 install -y --no-install-recommends libzmq3-dev"
[ -s "$work/$cases/err-at-$cases" ] || fail "apt-get ran before a word was said"
rm -f "$work/installed"

begin "installed by sudo, without a question when there is no terminal"
stub gcc "[ -e '$work/installed' ]"
stub apt-get "case \$* in *install*) : >'$work/installed' ;; esac"
stub id 'echo 1000'
# shellcheck disable=SC2016 # the stub expands it
stub sudo 'shift; exec "$@"'
setup build
wants_code 0
wants_last "installing libc6-dev with sudo apt-get: the build needs the C library's headers"
wants_call "sudo -n env DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=300 install -y --no-install-recommends libc6-dev"
rm -f "$work/installed"

begin "apt-get fails"
stub pkg-config 'exit 1'
stub apt-get 'echo "E: no network"; exit 100'
setup build
wants_code 1
wants_lines 2
wants_last "apt-get could not install libzmq3-dev (its output is in .venvs/setup.log): check the network and the rights of this user, or run 'apt-get install -y libzmq3-dev' as root, then run make again"
grep -q "no network" "$project/.venvs/setup.log" || fail "the log does not hold what apt-get said"

begin "installed and still not found"
stub pkg-config 'exit 1'
stub apt-get 'exit 0'
setup build
wants_code 1
wants_last "libzmq3-dev was installed and is still not found (see .venvs/setup.log): check CC, PKG_CONFIG and PKG_CONFIG_PATH, then run make again"

begin "VeighNa, twice: the second time is silent"
setup vnpy
wants_code 0
wants_lines 2
wants_last "installing VeighNa 4.4.0 into .venvs/vnpy-4.4.0 (python3, about 140 MB): the tests connect stock clients to the hub"
grep -q "pip install .*--no-deps vnpy==4.5.0 -r scripts/requirements-vnpy.txt" "$calls" || fail "pip was not asked for the pins"
setup vnpy
wants_code 0
wants_quiet

begin "VeighNa's RiskManager, twice: the second time is silent"
setup riskmanager
wants_code 0
wants_last "building VeighNa's RiskManager into .venvs/riskmanager (a minute): the bench measures the hub's rules beside its rules"
grep -q "pip install .*--target .venvs/riskmanager/build -r" "$calls" || fail "pip was not asked for the tools"
grep -q "pip install .*--no-build-isolation --target .venvs/riskmanager -r" "$calls" || fail "pip was not asked for the package"
[ -f "$project/.venvs/riskmanager/.complete" ] || fail "it is not called complete"
setup riskmanager
wants_code 0
wants_quiet

begin "VeighNa's RiskManager without Python's headers"
setup vnpy
stub apt-get 'exit 0'
rm "$project/.venvs/vnpy-4.5.0/bin/python"
cp "$bin/python3" "$project/.venvs/vnpy-4.5.0/bin/python"
cat >>"$project/.venvs/vnpy-4.5.0/bin/python" <<'END'
case $* in *Python.h*) exit 1 ;; esac
END
setup riskmanager
wants_code 1
wants_call "apt-get -o DPkg::Lock::Timeout=300 install -y --no-install-recommends python3.11-dev"
wants_last "python3.11-dev was installed and Python.h is still not found: name another Python in HUB_PYTHON, then run make again"

begin "an interrupted environment is made again"
setup vnpy
rm "$project/.venvs/vnpy-4.5.0/.complete"
: >"$project/.venvs/vnpy-4.5.0/left-over"
setup vnpy
wants_code 0
wants_lines 1
wants_last "installing VeighNa 4.5.0 into .venvs/vnpy-4.5.0 (python3, about 140 MB): the tests connect stock clients to the hub"
[ ! -e "$project/.venvs/vnpy-4.5.0/left-over" ] || fail "the old environment is still there"

begin "other pins, other environments"
setup vnpy
echo "numpy==0" >>"$project/scripts/requirements-vnpy.txt"
setup vnpy
wants_code 0
wants_lines 2

begin "an environment whose Python has gone"
setup vnpy
rm "$project/.venvs/vnpy-4.4.0/bin/python"
setup vnpy
wants_code 0
wants_lines 1

begin "pip fails"
stub python3 "
case \$* in
*version_info*) echo 3.11 ;;
*'-m venv '*) for dir; do :; done; mkdir -p \"\$dir/bin\"; cp \"\$0\" \"\$dir/bin/python\" ;;
*'-m pip '*) echo no route to host; exit 1 ;;
esac"
setup vnpy
wants_code 1
wants_lines 2
wants_last "pip could not install VeighNa 4.5.0 (its output is in .venvs/setup.log): check the network, or PIP_INDEX_URL where packages come from a mirror, then run make again"
[ ! -e "$project/.venvs/vnpy-4.5.0/.complete" ] || fail "an environment without VeighNa is called complete"

begin "no Python"
absent python3
setup vnpy
wants_code 1
wants_lines 1
wants_last "the tests run stock VeighNa, which needs Python 3.10 to 3.14, and none was found: install one (Debian: apt-get install python3 python3-venv) or name one in HUB_PYTHON, then run make again"

begin "old Python, and shims that do not run"
stub python3 'echo 3.9'
stub python3.13 'echo "pyenv: python3.13: command not found" >&2; exit 127'
setup vnpy
wants_code 1
wants_lines 1
wants_last "the tests run stock VeighNa, which needs Python 3.10 to 3.14, and none was found (python3 is 3.9;): install one (Debian: apt-get install python3 python3-venv) or name one in HUB_PYTHON, then run make again"

begin "a newer Python beside an old one"
mv "$bin/python3" "$bin/python3.12"
stub python3 'echo 3.9'
setup vnpy
wants_code 0
wants_last "installing VeighNa 4.4.0 into .venvs/vnpy-4.4.0 (python3.12, about 140 MB): the tests connect stock clients to the hub"

begin "HUB_PYTHON is not one"
with=HUB_PYTHON=/none/python
setup vnpy
with=
wants_code 1
wants_last "HUB_PYTHON is '/none/python', which is not a Python from 3.10 to 3.14 that runs: it does not start; correct or unset it, then run make again"

begin "no ensurepip, no way to install it"
stub python3 '
case $* in
*version_info*) echo 3.11 ;;
*"import "*) exit 1 ;;
esac'
setup vnpy
wants_code 1
wants_last "VeighNa's environment needs Python's venv module, and there is no apt-get here: install it with this system's package manager (Fedora: dnf install gcc pkgconf zeromq-devel python3; Arch: pacman -S gcc pkgconf zeromq python), then run make again"

begin "no ensurepip, installed by apt-get"
mv "$bin/python3" "$work/python3"
stub python3 "
case \$* in *'import ensurepip'* | *'import virtualenv'*) [ -e '$work/installed' ]; exit ;; esac
exec '$work/python3' \"\$@\""
stub apt-get "case \$* in *install*) : >'$work/installed' ;; esac"
setup vnpy
wants_code 0
wants_lines 3
wants_call "apt-get -o DPkg::Lock::Timeout=300 install -y --no-install-recommends python3.11-venv"
rm -f "$work/installed"

begin "no ensurepip, but virtualenv"
mv "$bin/python3" "$work/python3"
stub python3 "
case \$* in
*'import ensurepip'*) exit 1 ;;
*'import virtualenv'*) exit 0 ;;
*'-m virtualenv '*) for dir; do :; done; exec '$work/python3' -m venv \"\$dir\" ;;
esac
exec '$work/python3' \"\$@\""
setup vnpy
wants_code 0
wants_call "python3 -I -m virtualenv .venvs/vnpy-4.5.0"

if [ "$failed" -gt 0 ]; then
	echo "setup_test: $failed of $cases cases failed" >&2
	exit 1
fi
echo "ok	scripts/setup_test.sh	$cases cases"
