"""Blueprints: folders of YAML that describe projects.

`yaml_file` reads a file, `folder` a blueprint, and `validate` checks one. `state` reads what the API stores, `plan`
compares the two, `apply` makes the changes, and `export` writes a folder. `resources` lists the types of resources.
"""
