"""Addresses of the API of templates, configs and runs, below /api/v1/."""

from django.urls import path

from generation.api import configs, events, files, runs

urlpatterns = [
    path("templates", configs.TemplateList.as_view(), name="api-templates"),
    path("templates/<slug:name>", configs.TemplateDetail.as_view(), name="api-template"),
    path("configs", configs.ConfigList.as_view(), name="api-configs"),
    path("configs:validate", configs.ConfigValidation.as_view(), name="api-config-validation"),
    path("configs/<uuid:config_id>", configs.ConfigDetail.as_view(), name="api-config"),
    path(
        "configs/<uuid:config_id>:restore", configs.ConfigRestoration.as_view(), name="api-config-restoration"
    ),
    path("configs/<uuid:config_id>/estimate", configs.ConfigEstimate.as_view(), name="api-config-estimate"),
    path("configs/<uuid:config_id>/versions", configs.VersionList.as_view(), name="api-config-versions"),
    path(
        "configs/<uuid:config_id>/versions/<int:number>",
        configs.VersionDetail.as_view(),
        name="api-config-version",
    ),
    path("runs", runs.RunList.as_view(), name="api-runs"),
    path("runs/<uuid:run_id>", runs.RunDetail.as_view(), name="api-run"),
    path("runs/<uuid:run_id>:cancel", runs.RunCancellation.as_view(), name="api-run-cancellation"),
    path("runs/<uuid:run_id>:resume", runs.RunResumption.as_view(), name="api-run-resumption"),
    path("runs/<uuid:run_id>:continue", runs.RunContinuation.as_view(), name="api-run-continuation"),
    path("runs/<uuid:run_id>/events", events.RunEvents.as_view(), name="api-run-events"),
    path("runs/<uuid:run_id>/tables", files.TableList.as_view(), name="api-run-tables"),
    path("runs/<uuid:run_id>/preview/<slug:table>", files.Preview.as_view(), name="api-run-preview"),
    path("runs/<uuid:run_id>/archive", files.Archive.as_view(), name="api-run-archive"),
    path("runs/<uuid:run_id>/files", files.FileList.as_view(), name="api-run-files"),
    path("runs/<uuid:run_id>/files/<path:path>", files.FileDownload.as_view(), name="api-run-file"),
]
