"""`python -m ngio_x` is the command `ngio-x`."""

from ngio_x.cli import main

if __name__ == "__main__":
    main()
