"""The algorithms: each module here has an `ALGORITHM` and is found by its name.

Other folders on the path may hold a package of this name, too: their modules are found like those beside this file.
"""

from pkgutil import extend_path

__path__ = extend_path(__path__, __name__)
