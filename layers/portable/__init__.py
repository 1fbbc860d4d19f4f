"""The stand-alone map: one HTML file that opens anywhere, asks nobody and needs no network."""
