"""How the documentation is built: `make docs`, offline, with every warning an error."""

from __future__ import annotations

import os
import sys
from importlib.metadata import version as installed_version
from typing import TYPE_CHECKING, Any

from sphinx.ext.napoleon import GoogleDocstring

from orchestra_trio.cli.target import load_target

if TYPE_CHECKING:
    from sphinx.application import Sphinx

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

default_role = "code"
autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_preserve_defaults = True
add_module_names = False
python_use_unqualified_type_names = True
napoleon_google_docstring = True
napoleon_numpy_docstring = False
napoleon_custom_sections = ["Checkpoint", "Cancellation", "Source"]
napoleon_use_rtype = False

nitpicky = True
# What other packages document, and type variables, which nobody does.
nitpick_ignore_regex = [
    ("py:.*", r"(trio|outcome|attrs?|hypothesis)(\..*)?"),
    ("py:.*", r"(collections|contextlib|logging|os|threading|types|typing|typing_extensions)(\..*)?"),
    ("py:.*", r".*(_co|_contra|T|P|P\.args|P\.kwargs|Ts|Sig)"),
    ("py:.*", r"(.*\.)?(In|Out|E|SearchStrategy)"),
    ("py:.*", r"(Callable|Awaitable|Sequence|Iterable|Mapping|Collection|Self|Concatenate|TypeAlias|Literal)(\[.*)?"),
]


def _consume_whole(self: Any) -> tuple[str, list[str]]:  # noqa: ANN401 - a method of napoleon's
    """Take the docstring of an attribute as it is: napoleon would read what stands before a colon as its type."""
    return "", [self._lines.next(), *self._dedent(self._consume_to_end())]


def _hide_signature(
    _app: Sphinx, what: str, _name: str, obj: object, _options: object, signature: str | None, returns: str | None
) -> tuple[str | None, str | None]:
    """Show no constructor where users have none: of what the library alone makes, and of protocols."""
    texts = [str(getattr(obj, "__init__", obj).__doc__), str(getattr(obj, "__new__", obj).__doc__), str(obj.__doc__)]
    is_made = any("Made by" in text for text in texts)
    is_hidden = what in {"class", "exception"} and (is_made or getattr(obj, "_is_protocol", False))
    return ("", None) if is_hidden else (signature, returns)


def _draw_wirings(app: Sphinx) -> None:
    """Draw the wirings that the pages show."""
    sys.path.insert(0, str(app.srcdir.parent))  # the examples are no part of the package
    folder = app.srcdir / "_generated"
    folder.mkdir(exist_ok=True)
    for name, target in {"indexing": "orchestra_trio.cli.demo.wiring:Indexing", **_EXAMPLES}.items():
        (folder / f"{name}.svg").write_text(load_target(target).graph().to_svg(), "utf-8")


_EXAMPLES = {"network_node": "examples.network_node:NetworkNode"}


def setup(app: Sphinx) -> None:
    """Adapt autodoc and napoleon, and draw what is shown. Called by Sphinx."""
    app.connect("builder-inited", _draw_wirings)
    GoogleDocstring._consume_inline_attribute = _consume_whole  # noqa: SLF001 - there is no option for it
    app.connect("autodoc-process-signature", _hide_signature)
