"""Links and pictures of the documents lead to files that git tracks."""

import re
import subprocess
from pathlib import Path

import pytest
from conftest import ROOT

DOCUMENTS = sorted(path.relative_to(ROOT) for path in (*ROOT.glob("*.md"), *ROOT.glob("docs/*.md")))


@pytest.mark.parametrize("document", DOCUMENTS, ids=str)
def test_every_link_leads_to_a_tracked_file(document: Path):
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split(
        "\n"
    )
    folders = {str(parent) for path in listed for parent in Path(path).parents}
    links = re.findall(r"\]\(([^)#\s]+)", (ROOT / document).read_text())
    targets = {
        str((ROOT / document).parent.joinpath(link).resolve().relative_to(ROOT)) for link in links if ":" not in link
    }
    assert targets - {*listed, *folders} == set()
