"""The gallery of shipped templates and one template in full."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from core.permissions import Permission, requires
from generation.queries.configs import find_template, shipped_templates
from generation.services import validate_config


@requires(GET=Permission.TEMPLATES_READ)
def template_list(request: HttpRequest) -> HttpResponse:
    return render(request, "frontend/templates.html", {"templates": shipped_templates()})


@requires(GET=Permission.TEMPLATES_READ)
def template_detail(request: HttpRequest, name: str) -> HttpResponse:
    template = find_template(name)
    estimate = validate_config(template.yaml).estimate
    return render(request, "frontend/template.html", {"template": template, "estimate": estimate})
