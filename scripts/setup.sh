#!/bin/sh
# Makes the environment in .venv, or does nothing when it stands already.
#
#   sh scripts/setup.sh run    what running AutoGrid needs   (requirements.lock)
#   sh scripts/setup.sh dev    that, and the checks          (requirements-dev.lock)
#
# Needs Python 3.11 to 3.14 with its venv module, or uv; everything else comes hashed from the locks.
# AUTOGRID_PYTHON=/path/to/python chooses the Python; AUTOGRID_NO_UV=1 installs with pip alone.
#
# Safe to call from two terminals at once, after an interruption, after the tree was moved, and after the Python
# beneath .venv was replaced: what does not fit is made anew, and the reason is said.
set -eu

cd "$(dirname "$0")/.."
root=$(pwd -P)
venv=$root/.venv
python=$venv/bin/python
unfinished=$venv/.autogrid-unfinished
export UV_PYTHON_DOWNLOADS=never PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_USER=0
unset PYTHONHOME PYTHONPATH VIRTUAL_ENV || true

say() { printf 'autogrid: %s\n' "$*" >&2; }
die() { say "$*"; exit 1; }

case "${1:-}" in
  run) lock=requirements.lock ;;
  dev) lock=requirements-dev.lock ;;
  *) die "usage: sh scripts/setup.sh run|dev" ;;
esac

# --- finding a Python -------------------------------------------------------------------------------------------------

fits() { "$1" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 15))' </dev/null >/dev/null 2>&1; }
version_of() { "$1" -c 'import sys; print("%d.%d" % sys.version_info[:2])' </dev/null 2>/dev/null; }
has_venv() { "$1" -c 'import ensurepip, venv' </dev/null >/dev/null 2>&1; }
has_uv() { [ -z "${AUTOGRID_NO_UV:-}" ] && command -v uv >/dev/null 2>&1; }
has_apt() { command -v apt-get >/dev/null 2>&1; }

find_python() { # prints one that fits and can make an environment; of those that cannot, the first
  if [ -n "${AUTOGRID_PYTHON:-}" ]; then
    fits "$AUTOGRID_PYTHON" || die "AUTOGRID_PYTHON=$AUTOGRID_PYTHON is not a Python of version 3.11 to 3.14."
    command -v "$AUTOGRID_PYTHON"
    return
  fi
  second_best=
  for name in python3.13 python3.12 python3.11 python3 python3.14 python; do
    fits "$name" || continue
    if has_uv || has_venv "$name"; then command -v "$name"; return; fi
    [ -n "$second_best" ] || second_best=$(command -v "$name")
  done
  if [ -n "$second_best" ]; then printf '%s\n' "$second_best"; return; fi
  if has_uv; then uv python find --no-project '>=3.11,<3.15' 2>/dev/null || true; fi
}

no_python() {
  found=$(version_of python3) && found=" (python3 here is $found)" || found=
  if has_uv; then mend="uv python install 3.13"
  elif [ -n "$found" ]; then mend="install a newer one beside it, or install uv and say: uv python install 3.13"
  elif has_apt; then mend="sudo apt-get install python3 python3-venv"
  elif [ "$(uname -s)" = Darwin ]; then mend="brew install python@3.13"
  else mend="install it from your system's packages, or install uv and say: uv python install 3.13"; fi
  die "Python 3.11 or newer is missing$found. To mend: $mend"
}

no_venv_module() { # $1 = python
  if has_apt; then mend="sudo apt-get install python$(version_of "$1")-venv"
  else mend="install your system's package with the venv and ensurepip modules, or install uv"; fi
  die "$1 has no venv module. To mend: $mend"
}

# --- is the environment there already? --------------------------------------------------------------------------------

stamp_of() { # $1 = lock; changes with whatever the environment was made from
  printf '%s %s %s' "$(cat "$1" pyproject.toml scripts/setup.sh | cksum)" "$(version_of "$python")" "$root"
}
stamped() { # $1 = run|dev, $2 = lock
  [ -f "$venv/.autogrid-$1" ] && [ "$(cat "$venv/.autogrid-$1")" = "$(stamp_of "$2")" ]
}
ready() { # the dev environment holds all that the other does
  [ -x "$python" ] && [ ! -e "$unfinished" ] || return 1
  stamped dev requirements-dev.lock || { [ "$lock" = requirements.lock ] && stamped run "$lock"; }
}

why_unsound() { # prints why what stands in .venv cannot be used; nothing when it can
  if [ -e "$unfinished" ]; then echo "its making was interrupted"
  elif [ ! -f "$venv/pyvenv.cfg" ]; then echo "it is half made"
  elif ! [ -x "$python" ] || ! "$python" -c '' >/dev/null 2>&1; then echo "its Python is gone"
  elif ! fits "$python"; then echo "its Python is $(version_of "$python")"
  elif ! "$python" -c 'import os, sys
sys.exit(not (os.path.samefile(sys.prefix, sys.argv[1]) and any(p.startswith(sys.prefix + os.sep) and os.path.isdir(p) for p in sys.path)))' "$venv" 2>/dev/null; then
    echo "its Python was replaced by another version"
  elif [ -f "$venv/.autogrid-root" ] && [ "$(cat "$venv/.autogrid-root")" != "$root" ]; then echo "it was moved here"
  elif [ -n "${AUTOGRID_PYTHON:-}" ] && [ "$(version_of "$AUTOGRID_PYTHON")" != "$(version_of "$python")" ]; then
    echo "AUTOGRID_PYTHON asks for $(version_of "$AUTOGRID_PYTHON")"
  fi
}

# --- making it --------------------------------------------------------------------------------------------------------

wait_for_turn() { # the lock is the kernel's: it ends with this process, however that ends
  exec 9<>"$root/.venv.lock"
  "$1" -c '
import sys
try:
    import fcntl
except ImportError:
    sys.exit()
try:
    fcntl.flock(0, fcntl.LOCK_EX | fcntl.LOCK_NB)
except BlockingIOError:
    print("autogrid: another terminal is making the environment; waiting for it", file=sys.stderr)
    fcntl.flock(0, fcntl.LOCK_EX)
except OSError as error:
    print(f"autogrid: no lock on this file system ({error}); going on without", file=sys.stderr)
' <&9
}

make_venv() { # $1 = python
  has_uv || has_venv "$1" || no_venv_module "$1"
  say "making the environment in .venv with Python $(version_of "$1")"
  rm -rf "$venv"
  mkdir "$venv"
  : >"$unfinished"
  printf '%s' "$root" >"$venv/.autogrid-root"
  if has_uv; then uv venv -q --allow-existing --no-project --python "$1" "$venv" && return; fi
  has_venv "$1" || no_venv_module "$1"
  "$1" -m venv "$venv" || die "python -m venv failed; its message stands above."
}

pip() { "$python" -m pip "$@"; }
ensure_pip() { pip --version >/dev/null 2>&1 || "$python" -m ensurepip >/dev/null 2>&1; }

find_uv() { # sets uv; fetches it into the environment where the machine has none
  if [ -n "${AUTOGRID_NO_UV:-}" ]; then return 1; fi
  if command -v uv >/dev/null 2>&1; then uv=uv; return; fi
  uv=$venv/bin/uv
  "$uv" --version >/dev/null 2>&1 && return
  ensure_pip && pip install -q --only-binary :all: --require-hashes -r requirements-uv.lock >/dev/null 2>&1
}

uv_install() { # $1 = -q, or empty to show progress
  "$uv" pip install ${1:+"$1"} --python "$python" --require-hashes -r "$lock" &&
    "$uv" pip install -q --python "$python" --no-deps --no-build-isolation --editable .
}
pip_install() {
  ensure_pip || no_venv_module "$python"
  pip install -q --require-hashes -r "$lock" && pip install -q --no-deps --no-build-isolation --editable .
}

install() {
  say "installing $(grep -c '^[a-z0-9].*==' "$lock") packages from $lock"
  quiet=-q
  [ ! -t 2 ] || quiet=
  if find_uv; then
    # The second try trusts the certificates of the machine, as a company's proxy wants.
    uv_install "$quiet" 2>"$venv/.autogrid-uv-said" && return
    UV_SYSTEM_CERTS=1 UV_NATIVE_TLS=1 uv_install "$quiet" 2>>"$venv/.autogrid-uv-said" && return
    sed 's/^/  uv: /' "$venv/.autogrid-uv-said" >&2
    say "uv could not install; trying with pip"
  else
    say "installing with pip, which takes a minute or two"
  fi
  pip_install && return
  rm -f "$unfinished" # an orderly end: the next try goes on from here
  die "the packages could not be installed; the reason stands above. Once mended, say the same again."
}

if ready && [ -z "${AUTOGRID_PYTHON:-}" ]; then exit 0; fi

base=$(find_python)
[ -n "$base" ] || no_python
wait_for_turn "$base"
if [ -e "$venv" ] || [ -L "$venv" ]; then
  unsound=$(why_unsound)
  [ -z "$unsound" ] || { say ".venv cannot be used ($unsound)"; make_venv "$base"; }
else
  make_venv "$base"
fi
if ready; then exit 0; fi # another terminal did it while we waited
: >"$unfinished"
install
printf '%s' "$root" >"$venv/.autogrid-root"
stamp_of "$lock" >"$venv/.autogrid-$1"
rm -f "$unfinished" "$venv/.autogrid-uv-said"
say "the environment is ready"
