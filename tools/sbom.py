"""The software bill of materials: every library that runs, as CycloneDX, from the pins with their hashes.

Written to ``dist/``, never committed. The same pins give the same bytes. Which registry a library comes from is a
matter of whoever installs, so no address of one is written.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
PINS = ROOT / "requirements/run.txt"
OUTPUT = ROOT / "dist/sbom.cdx.json"
SPECIFICATION = "1.6"


def main() -> int:
    """Write the bill of materials."""
    OUTPUT.parent.mkdir(exist_ok=True)
    OUTPUT.write_text(bill_of_materials(), encoding="utf-8")
    print(f"wrote {OUTPUT.relative_to(ROOT)}")
    return 0


def bill_of_materials(pins: Path = PINS) -> str:
    """Return the CycloneDX document as JSON; raises ``ValueError`` for a library without version or hash."""
    with tempfile.TemporaryDirectory(prefix="kc-sbom-") as folder:
        raw = Path(folder) / "raw.json"
        command = [sys.executable, "-m", "cyclonedx_py", "requirements", str(pins)]
        command += ["--pyproject", str(ROOT / "pyproject.toml"), "--spec-version", SPECIFICATION]
        command += ["--output-reproducible", "--output-format", "JSON", "--output-file", str(raw)]
        subprocess.run(command, check=True, cwd=ROOT, capture_output=True)
        document = json.loads(raw.read_text(encoding="utf-8"))
    return json.dumps(_finished(document), indent=2, ensure_ascii=False, sort_keys=True) + "\n"


def _finished(document: dict[str, Any]) -> dict[str, Any]:
    """Return the document with names instead of line numbers, the hashes at each library, and no address."""
    components = document["components"]
    names = {component["bom-ref"]: component["purl"] for component in components}
    for component in components:
        sources = component.pop("externalReferences", [])
        component.pop("description", None)
        component["bom-ref"] = component["purl"]
        component["hashes"] = [entry for source in sources for entry in source.get("hashes", [])]
        if not component["hashes"] or not component.get("version"):
            raise ValueError(f"{component['name']} is not pinned with a hash; run `make lock`")
    root = document["metadata"]["component"]["bom-ref"]
    document["metadata"]["tools"] = {"components": [_tool(document)]}
    document["dependencies"] = [{"ref": root, "dependsOn": sorted(names.values())}]
    document["dependencies"] += [{"ref": name} for name in sorted(names.values())]
    document["components"] = sorted(components, key=lambda component: str(component["purl"]))
    return document


def _tool(document: dict[str, Any]) -> dict[str, Any]:
    """Return what made the document, without the links of its own page."""
    tools = document["metadata"].get("tools", {}).get("components", [])
    made = next(tool for tool in tools if tool["name"] == "cyclonedx-py")
    return {key: made[key] for key in ("type", "name", "version", "description") if key in made}


if __name__ == "__main__":
    sys.exit(main())
