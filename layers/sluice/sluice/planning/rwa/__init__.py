"""Routing and wavelength assignment: lightpaths get paths, wavelengths and regenerators."""
