"""The addresses of SCIM. They stand under /scim/v2/ on the organisation's hosts."""

from django.urls import path

from tenants.scim import views

urlpatterns = [
    path("ServiceProviderConfig", views.service_provider_config, name="scim-config"),
    path("ResourceTypes", views.resource_types, name="scim-resource-types"),
    path("ResourceTypes/<str:name>", views.resource_type, name="scim-resource-type"),
    path("Schemas", views.schemas, name="scim-schemas"),
    path("Schemas/<str:name>", views.schema, name="scim-schema"),
    path("Users", views.users, name="scim-users"),
    path(".search", views.search, name="scim-search"),
    path("Users/.search", views.user_search, name="scim-user-search"),
    path("Groups/.search", views.group_search, name="scim-group-search"),
    path("Users/<str:user_id>", views.user, name="scim-user"),
    path("Groups", views.groups, name="scim-groups"),
    path("Groups/<str:group_id>", views.group, name="scim-group"),
    path("<path:rest>", views.nothing, name="scim-nothing"),
]
