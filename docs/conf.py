"""The documentation as pages: `make docs`. A page asks nothing from the network."""

import sys
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parents[1])]

import snnlab

project = "snnlab"
author = "the snnlab developers"
version = release = snnlab.__version__
extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "kit"]
myst_enable_extensions = ["dollarmath", "colon_fence"]
myst_heading_anchors = 3
exclude_patterns = ["package.md"]  # what a package index shows
html_theme = "furo"
html_title = "snnlab"
html_static_path = ["static"]
html_css_files = ["pages.css"]
html_math_renderer = "mathml"
html_show_sourcelink = html_show_copyright = False
html_copy_source = False
html_theme_options = {"light_css_variables": {"font-stack": "system-ui, sans-serif"}}
napoleon_use_ivar = True
autodoc_typehints = "signature"
autodoc_preserve_defaults = True
autodoc_member_order = "bysource"
autodoc_class_signature = "mixed"
python_use_unqualified_type_names = True
smartquotes_action = "D"  # dashes, but quotation marks as they are typed
suppress_warnings = ["ref.python"]  # an argument has the name of attributes of several classes
