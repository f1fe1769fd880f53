# Sourced by scripts/regenerate and scripts/test: a virtual environment with pinned versions.
# usage: ensure_venv "[extra,…]"
ensure_venv() {
  local extras="$1" python="${PYTHON:-python3}" venv="${VENV:-.venv}" stamp wanted
  if ! "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
    echo "Python 3.11 or newer is needed; set PYTHON=/path/to/python3.11 and run again." >&2
    exit 1
  fi
  wanted="$(cat pyproject.toml constraints.txt | cksum | tr ' ' -)"
  stamp="$venv/.installed-$(echo "$extras" | tr -cd 'a-z')"
  if [ "$(cat "$stamp" 2>/dev/null)" != "$wanted" ]; then
    if [ ! -x "$venv/bin/python" ] && ! "$python" -m venv "$venv"; then
      echo "Could not make a virtual environment (on Debian and Ubuntu: apt-get install python3-venv)." >&2
      exit 1
    fi
    echo "Installing into $venv (pinned by constraints.txt) …" >&2
    "$venv/bin/python" -m pip install --quiet --disable-pip-version-check \
      --constraint constraints.txt --editable ".$extras" 2> >(grep -v "is ignored: it is neither" >&2)
    echo "$wanted" > "$stamp"
  fi
  export PATH="$PWD/$venv/bin:$PATH"
}
