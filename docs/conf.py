"""How the documentation is built: `make docs`, offline, with every warning an error."""

from __future__ import annotations

import os
from importlib.metadata import version as installed_version

project = "orchestra_trio"
author = "orchestra_trio maintainers"
project_copyright = "the orchestra_trio maintainers"
version = release = installed_version("orchestra-trio")

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "sphinx.ext.doctest", "sphinxcontrib_trio"]
# Links into other documentation need the network, which a check must not.
if os.environ.get("DOCS_ONLINE"):
    extensions.append("sphinx.ext.intersphinx")
intersphinx_mapping = {
    "python": ("https://docs.python.org/3", None),
    "trio": ("https://trio.readthedocs.io/en/stable", None),
    "attrs": ("https://www.attrs.org/en/stable", None),
}

html_theme = "furo"
html_title = "orchestra_trio"
html_static_path: list[str] = []
exclude_patterns = ["_build"]

myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 3
myst_fence_as_directive = ["mermaid_source"]

default_role = "code"
autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_preserve_defaults = True
autodoc_type_aliases: dict[str, str] = {}
add_module_names = False
python_use_unqualified_type_names = True
napoleon_google_docstring = True
napoleon_numpy_docstring = False
napoleon_custom_sections = ["Checkpoint", "Cancellation", "Source"]
napoleon_use_rtype = False

nitpicky = True
# What other packages document, and type variables, which nobody does.
nitpick_ignore_regex = [
    ("py:.*", r"(trio|outcome|attrs?|collections|typing|typing_extensions|logging|contextlib|types|threading)(\..*)?"),
    ("py:.*", r".*(_co|_contra|T|P|Ts|Sig)"),
    ("py:.*", r"(Callable|Awaitable|Sequence|Iterable|Mapping|Collection|Self|Concatenate|TypeAlias|Literal)(\[.*)?"),
]
