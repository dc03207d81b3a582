"""The web site of the course: `make site`. Nothing is executed, and nothing is loaded from another host."""

import importlib.metadata

project = "ECG Lessons"
author = "The ECG Lessons authors"
copyright = "The ECG Lessons authors; texts and figures CC BY 4.0, code MIT"
release = version = importlib.metadata.version("ecg-lessons")
language = "en"
extensions = ["myst_nb", "sphinx_design", "sphinx_copybutton", "sphinx.ext.autodoc"]

nb_execution_mode = "off"
nb_merge_streams = True
nb_ipywidgets_js = {}  # no script of another host: what is stored has no widgets
nb_render_markdown_format = "myst"
myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 3
# Two classes are called Lesson; a cell for the shell is no Python.
suppress_warnings = ["myst.header", "mystnb.unknown_mime_type", "ref.python", "misc.highlighting_failure"]
mathjax_path = "none.js"  # no page has a formula; nothing is loaded from another host

autodoc_member_order = "bysource"
autodoc_typehints = "description"
autodoc_mock_imports = ["ray"]
default_role = "literal"

html_context = {"default_mode": "auto"}
html_theme = "sphinx_book_theme"
html_title = "ECG Lessons"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_js_files = ["site.js"]
html_extra_path = ["live"]
html_show_sourcelink = False
html_copy_source = False
pygments_style = "a11y-high-contrast-light"
html_theme_options = {
    "pygments_light_style": "a11y-high-contrast-light",
    "pygments_dark_style": "a11y-high-contrast-dark",
    "use_download_button": False,
    "use_fullscreen_button": False,
    "show_toc_level": 2,
    "home_page_in_toc": True,
    "max_navbar_depth": 1,
    "navbar_persistent": [],  # else a second box for the same search stands in a bar at the top
}
copybutton_selector = "div.cell_input pre, div.highlight-sh pre"
