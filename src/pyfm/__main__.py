"""`python -m pyfm` is `pyfm`."""

from pyfm.cli import main

if __name__ == "__main__":
    main()
