"""One phrasing of a task: a Jinja2 file in a closed language, checked without data."""

from instruction_kit.template.load import load_template, template_files, templates_of
from instruction_kit.template.template import Template, parse_template

__all__ = ["Template", "load_template", "parse_template", "template_files", "templates_of"]
