"""Writes template-digests.lock: what Jinja2 itself makes of llama.cpp's collection of chat templates.

render_templates.py FOLDER_OF_TEMPLATES > template-digests.lock     (needs the package jinja2)
Each line: file, SHA-256 of the text rendered in the way of Hugging Face transformers, or "refused".
"""

import datetime
import hashlib
import json
import pathlib
import sys

from jinja2.exceptions import TemplateError
from jinja2.ext import Extension, loopcontrols
from jinja2.sandbox import ImmutableSandboxedEnvironment

MESSAGES = [
    {"role": "user", "content": " What is 2 + 2? \n"},
    {"role": "assistant", "content": "It is <b>4</b>, naïvely 𝟜."},
    {"role": "user", "content": "Thanks"},
]


class Generation(Extension):
    """The tag that marks what the assistant says: nothing but its content."""

    tags = {"generation"}

    def parse(self, parser):
        next(parser.stream)
        return parser.parse_statements(["name:endgeneration"], drop_needle=True)


def refuse(message):
    raise TemplateError(message)


def render(source):
    environment = ImmutableSandboxedEnvironment(
        trim_blocks=True, lstrip_blocks=True, extensions=[Generation, loopcontrols]
    )
    environment.filters["tojson"] = lambda value, indent=None: json.dumps(value, ensure_ascii=False, indent=indent)
    environment.globals["raise_exception"] = refuse
    environment.globals["strftime_now"] = datetime.datetime(2024, 7, 26, 12).strftime
    return environment.from_string(source).render(
        messages=MESSAGES,
        tools=None,
        documents=None,
        add_generation_prompt=True,
        bos_token="<s>",
        eos_token="</s>",
    )


def main():
    print("# file sha256; Jinja2 rendered it: see render_templates.py")
    for path in sorted(pathlib.Path(sys.argv[1]).glob("*.jinja")):
        try:
            text = render(path.read_text(encoding="utf-8"))
            if len(sys.argv) > 2:
                pathlib.Path(sys.argv[2], path.name).write_text(text, encoding="utf-8")
            print(path.name, hashlib.sha256(text.encode()).hexdigest())
        except Exception as error:
            print(path.name, error, file=sys.stderr)
            print(path.name, "refused")


main()
