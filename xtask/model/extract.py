#!/usr/bin/env python3
"""Writes crates/api/model/<service>.json: the part of AWS's service models that operations.txt lists.

Reads botocore's data through botocore's own loader, so run it in a scratch virtual environment:

    python3 -m venv /tmp/extract && /tmp/extract/bin/pip install botocore
    /tmp/extract/bin/python xtask/model/extract.py && cargo xtask api

Kept: names, types, constraints, enums, error codes, spellings. Left out: every documentation text.
"""

import json
import pathlib

import botocore
import botocore.loaders

HERE = pathlib.Path(__file__).parent
MODELS = HERE.parent.parent / "crates" / "api" / "model"

METADATA = ("apiVersion", "endpointPrefix", "jsonVersion", "protocol", "serviceId", "signingName",
            "targetPrefix", "xmlNamespace")
OPERATION = ("name", "http", "input", "output", "errors")
# Everything else of a shape is documentation or concerns other protocols.
SHAPE = ("type", "required", "members", "member", "key", "value", "enum", "min", "max", "pattern",
         "sensitive", "flattened", "box", "error", "exception", "fault", "timestampFormat")
REFERENCE = ("shape", "locationName", "resultWrapper", "flattened", "timestampFormat")


def main():
    for service, wanted in read_list().items():
        model = botocore.loaders.Loader().load_service_model(service, "service-2")
        extract = take(model, wanted)
        path = MODELS / f"{service}.json"
        if path.exists() and not json.loads(path.read_text())["source"].startswith("botocore "):
            raise SystemExit(f"{path} is written by hand: it is no extract to be replaced")
        path.write_text(json.dumps(extract, indent=1) + "\n")
        print(f"{path}: {len(extract['operations'])} operations, {len(extract['shapes'])} shapes")


def read_list():
    """operations.txt as service -> kind -> names."""
    services = {}
    for number, line in enumerate((HERE / "operations.txt").read_text().splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        service, kind, name = line.split()
        kinds = services.setdefault(service, {"operation": [], "error": [], "sensitive": []})
        if kind not in kinds:
            raise SystemExit(f"operations.txt:{number}: unknown kind {kind!r}")
        kinds[kind].append(name)
    return services


def take(model, wanted):
    shapes = {}
    operations = {}
    for name in sorted(wanted["operation"]):
        operation = pick(model["operations"][name], OPERATION)
        for end in ("input", "output"):
            if end in operation:
                operation[end] = reference(operation[end], model, shapes)
        operation["errors"] = [reference(error, model, shapes) for error in operation.get("errors", [])]
        operations[name] = operation
    for name in wanted["error"]:
        reference({"shape": name}, model, shapes)
    for name in wanted["sensitive"]:
        shapes[name]["sensitive"] = True
    return {
        "source": f"botocore {botocore.__version__}",
        "metadata": pick(model["metadata"], METADATA),
        "operations": operations,
        "shapes": dict(sorted(shapes.items())),
    }


def reference(ref, model, shapes):
    """The reference without documentation; the shape it names lands in `shapes`."""
    name = ref["shape"]
    if name not in shapes:
        shape = shapes[name] = pick(model["shapes"][name], SHAPE)
        for part in ("member", "key", "value"):
            if part in shape:
                shape[part] = reference(shape[part], model, shapes)
        if "members" in shape:
            shape["members"] = {n: reference(r, model, shapes) for n, r in shape["members"].items()}
    return pick(ref, REFERENCE)


def pick(source, keys):
    return {key: source[key] for key in keys if key in source}


if __name__ == "__main__":
    main()
