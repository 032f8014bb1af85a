"""``python -m ketaclinic.cli``: the same commands where the script is not on the path."""

from ketaclinic.cli.main import main

main()
