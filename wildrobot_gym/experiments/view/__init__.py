"""Watch policies and motions: in a browser, in a window, or as a page that needs no Python."""
