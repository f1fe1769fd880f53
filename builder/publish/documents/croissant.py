"""croissant.json: Croissant 1.1, its core derived from the schema, with the RAI 1.0 fields.

The Hub makes a core of its own from the Parquet files; it knows nothing of how the data came to
be. This one lies beside the data, is under its digest, and loads with `mlcroissant`.
"""

from __future__ import annotations

from typing import Any

import datasets

import ecuador_crisis_tiktok as schema
from builder.publish.documents.facts import Facts

CONFORMS_TO = ("http://mlcommons.org/croissant/1.1", "http://mlcommons.org/croissant/RAI/1.0")
# The context of Croissant 1.1, as the specification prints it, and the RAI vocabulary.
CONTEXT: dict[str, Any] = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    "arrayShape": "cr:arrayShape",
    "citeAs": "cr:citeAs",
    "column": "cr:column",
    "conformsTo": "dct:conformsTo",
    "containedIn": "cr:containedIn",
    "cr": "http://mlcommons.org/croissant/",
    "rai": "http://mlcommons.org/croissant/RAI/",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "dct": "http://purl.org/dc/terms/",
    "description": {"@container": "@language"},
    "equivalentProperty": "cr:equivalentProperty",
    "examples": {"@id": "cr:examples", "@type": "@json"},
    "extract": "cr:extract",
    "field": "cr:field",
    "fileProperty": "cr:fileProperty",
    "fileObject": "cr:fileObject",
    "fileSet": "cr:fileSet",
    "format": "cr:format",
    "includes": "cr:includes",
    "isArray": "cr:isArray",
    "isLiveDataset": "cr:isLiveDataset",
    "jsonPath": "cr:jsonPath",
    "key": "cr:key",
    "md5": "cr:md5",
    "name": {"@container": "@language"},
    "parentField": "cr:parentField",
    "path": "cr:path",
    "recordSet": "cr:recordSet",
    "references": "cr:references",
    "regex": "cr:regex",
    "repeated": "cr:repeated",
    "replace": "cr:replace",
    "samplingRate": "cr:samplingRate",
    "sc": "https://schema.org/",
    "separator": "cr:separator",
    "source": "cr:source",
    "subField": "cr:subField",
    "transform": "cr:transform",
}
_TYPES = {
    "string": "sc:Text",
    "int64": "cr:Int64",
    "float32": "cr:Float32",
    "bool": "sc:Boolean",
    "date32": "sc:Date",
}


def croissant(facts: Facts) -> dict[str, Any]:
    """The whole document, as a dictionary."""
    campaign = facts.campaign
    who = campaign.publication
    told: dict[str, Any] = {
        "@context": CONTEXT,
        "@type": "sc:Dataset",
        "conformsTo": list(CONFORMS_TO),
        "name": campaign.release_name,
        "description": facts.description,
        "license": facts.licence_url,
        "version": campaign.version,
        "inLanguage": list(campaign.languages),
        "keywords": facts.keywords,
        "isLiveDataset": False,
        "citeAs": facts.bibtex,
        "creator": [{"@type": "sc:Organization", "name": name} for name in who.creators],
        "url": who.url,
        "datePublished": str(who.published or ""),
        "distribution": [_files(config) for config in schema.FEATURES],
        "recordSet": [_records(config, facts.optional) for config in schema.FEATURES],
        **_rai(facts),
    }
    return {key: value for key, value in told.items() if value not in ("", [])}


def schema_org(facts: Facts) -> dict[str, Any]:
    """The same for search engines: schema.org's Dataset as JSON-LD."""
    campaign = facts.campaign
    who = campaign.publication
    told = {
        "@context": "https://schema.org/",
        "@type": "Dataset",
        "name": campaign.release_name,
        "alternateName": campaign.title,
        "description": facts.description,
        "version": campaign.version,
        "license": facts.licence_url,
        "inLanguage": list(campaign.languages),
        "keywords": facts.keywords,
        "temporalCoverage": f"{campaign.window.start}/{campaign.window.end}",
        "spatialCoverage": [{"@type": "Country", "name": c} for c in campaign.region_codes],
        "creator": [{"@type": "Organization", "name": name} for name in who.creators],
        "url": who.url,
        "datePublished": str(who.published or ""),
        "isAccessibleForFree": True,
        "variableMeasured": [
            {"@type": "PropertyValue", "name": name, "description": schema.COLUMNS[name][1]}
            for name in schema.features_of(schema.DEFAULT_CONFIG, facts.optional)
        ],
        "distribution": [
            {
                "@type": "DataDownload",
                "name": path,
                "contentUrl": path,
                "encodingFormat": "application/vnd.apache.parquet",
                "contentSize": f"{size} B",
                "sha256": digest,
            }
            for path, (size, digest) in facts.tables.items()
        ],
    }
    return {key: value for key, value in told.items() if value not in ("", [])}


def _files(config: str) -> dict[str, Any]:
    return {
        "@type": "cr:FileSet",
        "@id": f"files-of-{config}",
        "name": f"files-of-{config}",
        "description": f"The Parquet files of the config {config}.",
        "encodingFormat": "application/x-parquet",
        "includes": f"{config}/*.parquet",
    }


def _records(config: str, optional: tuple[str, ...]) -> dict[str, Any]:
    return {
        "@type": "cr:RecordSet",
        "@id": config,
        "name": config,
        "description": schema.CONFIG_DESCRIPTIONS[config],
        "field": [
            _field(config, name, feature)
            for name, feature in schema.features_of(config, optional).items()
        ],
    }


def _field(config: str, name: str, feature: Any) -> dict[str, Any]:
    inner = getattr(feature, "feature", feature)
    inner = inner[0] if isinstance(inner, list) else inner
    told: dict[str, Any] = {
        "@type": "cr:Field",
        "@id": f"{config}/{name}",
        "name": name,
        "description": schema.COLUMNS[name][1],
        "source": {"fileSet": {"@id": f"files-of-{config}"}, "extract": {"column": name}},
    }
    if inner is not feature:
        told |= {"isArray": True, "arrayShape": "-1"}
    if isinstance(inner, dict):
        told["subField"] = [
            {
                "@type": "cr:Field",
                "@id": f"{config}/{name}/{part}",
                "name": part,
                "description": f"{part} of {name}",
                "dataType": _type(kind),
                "source": {
                    "fileSet": {"@id": f"files-of-{config}"},
                    "extract": {"column": name},
                    "transform": {"jsonPath": part},
                },
            }
            for part, kind in inner.items()
        ]
    else:
        told["dataType"] = _type(inner)
    return told


def _type(feature: datasets.Value) -> str:
    return _TYPES.get(feature.dtype, "sc:DateTime")


def _rai(facts: Facts) -> dict[str, Any]:
    """RAI 1.0, in the words of the campaign and the numbers of the build."""
    campaign = facts.campaign
    texts, who = campaign.texts, campaign.publication
    start, end = campaign.window.start, campaign.window.end
    machines = [f"{step}: {model}" for step, model in facts.models.items()]
    return {
        "rai:dataCollection": texts.collection.strip(),
        "rai:dataCollectionType": ["Web API", "Others"],
        "rai:dataCollectionTimeFrame": [f"{start}T00:00:00Z", f"{end}T23:59:59Z"],
        "rai:dataCollectionMissingData": facts.missing,
        "rai:dataCollectionRawData": "Public videos and their metadata; not released.",
        "rai:dataPreprocessingProtocol": facts.processing,
        "rai:dataAnnotationProtocol": facts.annotation,
        "rai:machineAnnotationTools": machines or ["none: no model was run for this build"],
        "rai:annotationsPerItem": "One machine annotation of each kind; people annotate none.",
        "rai:dataBiases": texts.biases.strip(),
        "rai:dataLimitations": facts.limits,
        "rai:dataUseCases": facts.uses,
        "rai:personalSensitiveInformation": facts.personal,
        "rai:dataSocialImpact": who.social_impact.strip(),
        "rai:dataReleaseMaintenancePlan": who.maintenance.strip(),
    }
