"""`python -m pyfm` is `pyfm`."""

from pyfm.cli import main

main()
