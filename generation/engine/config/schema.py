"""JSON Schema of the config, for editors, forms and documentation; generated from the models."""

from typing import Any

from generation.engine.config.model import Config
from generation.engine.config.rates import INDUSTRY_RATES, PLACES

IDENTIFIER = "urn:datasynth:config:1"


def json_schema() -> dict[str, Any]:
    """JSON Schema 2020-12 of config version 1.

    Beside the standard words: `x-unit`, `x-source` (where the default comes from), `x-defaults` (default by industry),
    `x-available: false` with `x-unavailable-reason` for keys that the format has but this release refuses.
    """
    schema = Config.model_json_schema(mode="validation")
    schema |= {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": IDENTIFIER,
        "title": "DataSynth config",
    }
    for definition in schema["$defs"].values():
        definition.pop("title", None)
        for described in definition.get("properties", {}).values():
            described.pop("title", None)
    for described in schema["properties"].values():
        described.pop("title", None)
    _allow_text_for_seed(schema["properties"]["seed"])
    _add_industry_defaults(schema["$defs"])
    return schema


def _allow_text_for_seed(seed: dict[str, Any]) -> None:
    number = {word: seed.pop(word) for word in ("type", "minimum", "maximum")}
    seed["anyOf"] = [number, {"type": "string", "pattern": "^[0-9]{1,20}$"}]


def _add_industry_defaults(definitions: dict[str, Any]) -> None:
    sections = definitions["Processes"]["properties"]
    for rate, (section, key) in PLACES.items():
        target = sections[section]["$ref"].rsplit("/", 1)[1]
        defaults = {industry: getattr(rates, rate) for industry, rates in INDUSTRY_RATES.items()}
        if any(value is not None for value in defaults.values()):  # others follow from the books themselves
            definitions[target]["properties"][key]["x-defaults"] = defaults
