# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""How Sphinx makes a site of the pages that antsibull-docs writes; `tools/docs` calls it."""

project = "keystead.identity"
author = "Keystead contributors"
extensions = ["sphinx_antsibull_ext"]
html_theme = "sphinx_ansible_theme"
html_title = "keystead.identity"
html_show_copyright = False
html_show_sphinx = False
pygments_style = "ansible"
highlight_language = "YAML+Jinja"
default_role = "any"
suppress_warnings = ["ref.ref", "ref.envvar"]  # what Ansible's own documentation defines, which cannot be asked offline
