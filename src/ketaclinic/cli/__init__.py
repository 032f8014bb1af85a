"""The command line: one module per command, loaded when it is called."""

from importlib.util import find_spec

if find_spec("click") is None:  # the core alone was installed: its own command is ``ketacore``
    raise SystemExit("ketaclinic: this needs the clinic's libraries. Install them: pip install 'ketaclinic[clinic]'.")
