"""Planning of optical networks: topologies, traffic, grooming, routes and wavelengths. No I/O, no AWS."""
