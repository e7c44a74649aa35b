"""The commands `reproduce claims` and `reproduce audit`."""

import json

import reproductions
from reports import audited, paths
from reproductions.cli.main import main
from reproductions.lab.analysis import architecture_tables


def test_claims_of_a_study_are_shown_with_verdicts(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "2000")
    main(["claims", "--study", "zfnet"])
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == ["quote", "published", "computed", "source", "verdict", "reason"]
    assert "does not hold" in lines[-1]

    main(["claims", "--study", "zfnet", "--format", "json"])
    claims = json.loads(capsys.readouterr().out)
    assert {claim["study"] for claim in claims} == {"zfnet"}
    assert list(claims[0])[:5] == ["id", "slide", "study", "quote", "published"]


def test_claims_of_an_unknown_study_are_refused(refusal):
    assert "'lenet7' is not a study" in refusal("claims", "--study", "lenet7")


def test_the_audit_leaves_out_studies_without_tables(monkeypatch, tmp_path, capsys):
    (tmp_path / "published").mkdir()
    own = architecture_tables.PUBLISHED / "convnetjs.csv"
    (tmp_path / "published" / "convnetjs.csv").write_bytes(own.read_bytes())
    committed = json.loads((paths.COMPUTED / "tables.json").read_text(encoding="utf-8"))
    monkeypatch.setattr(architecture_tables, "PUBLISHED", tmp_path / "published")
    monkeypatch.setattr(audited, "COMPUTED", tmp_path / "computed")
    monkeypatch.setattr("reproductions.cli.claims.check_claims", list)
    few = {"convnetjs-cifar10": reproductions.find_network("convnetjs-cifar10")}
    monkeypatch.setattr(reproductions, "networks", lambda: few)
    main(["audit"])
    written = json.loads((tmp_path / "computed" / "tables.json").read_text(encoding="utf-8"))
    assert written == {"convnetjs": committed["convnetjs"]}
    (profile,) = json.loads((tmp_path / "computed" / "networks.json").read_text(encoding="utf-8"))
    assert profile in json.loads((paths.COMPUTED / "networks.json").read_text(encoding="utf-8"))
    assert "claims.json" in capsys.readouterr().out
