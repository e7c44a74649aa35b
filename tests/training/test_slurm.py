"""The workers of a Slurm step."""

import os
import stat

import pytest

from reproductions.lab.errors import UsageError
from reproductions.lab.training import slurm

STEP = {"SLURM_STEP_NUM_TASKS": "3", "SLURM_STEP_NODELIST": "node[9-11]", "SLURM_STEP_TASKS_PER_NODE": "1(x3)"}


@pytest.mark.parametrize(
    ("nodes", "names"),
    [
        ("node[9-11]", ["node9", "node10", "node11"]),
        ("node[08-10,12]", ["node08", "node09", "node10", "node12"]),
        ("rack[0-1]-n[0-1]", ["rack0-n0", "rack0-n1", "rack1-n0", "rack1-n1"]),
        ("gpu[1-2].cluster.example", ["gpu1.cluster.example", "gpu2.cluster.example"]),
        ("login,n[3,1]-ib,z", ["login", "n3-ib", "n1-ib", "z"]),
        ("alone", ["alone"]),
    ],
)
def test_a_list_of_nodes_is_expanded_in_its_order(nodes, names):
    assert slurm.hostnames(nodes) == names


@pytest.mark.parametrize(
    "nodes", ["", "a[", "a]1", "a[1-]", "a[x]", "a[]", "a,,b", "a[1-999999999]", "n[1-999][1-999]"]
)
def test_what_is_no_list_of_nodes_is_refused(nodes):
    with pytest.raises(ValueError, match=r"node|number"):
        slurm.hostnames(nodes)


@pytest.mark.parametrize("index", range(3))
def test_each_index_has_its_own_host(index, monkeypatch):
    monkeypatch.setenv("PATH", "")
    found, addresses = slurm.addresses({**STEP, "SLURM_PROCID": str(index), "SLURM_JOB_ID": "7"})
    assert found == index and addresses == ("node9:20007", "node10:20007", "node11:20007")


def test_tasks_of_one_node_have_ports_of_their_own(monkeypatch):
    monkeypatch.setenv("PATH", "")
    step = {**STEP, "SLURM_STEP_NODELIST": "b,a", "SLURM_STEP_TASKS_PER_NODE": "2,1", "SLURM_PROCID": "0"}
    assert slurm.addresses(step) == (0, ("b:20000", "b:20001", "a:20000"))


def test_scontrol_is_asked_where_it_exists(tmp_path, monkeypatch):
    command = tmp_path / "scontrol"
    command.write_text('#!/bin/sh\n[ "$1 $2 $3" = "show hostnames odd" ] && echo n1 && echo n2 && echo n3\n')
    command.chmod(command.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    assert slurm.addresses({**STEP, "SLURM_STEP_NODELIST": "odd", "SLURM_PROCID": "1"})[1][2] == "n3:20000"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"SLURM_STEP_NODELIST": "node[9"}, "is not a list of nodes; set TF_CONFIG"),
        ({"SLURM_STEP_TASKS_PER_NODE": "1(x"}, "number of tasks of each node"),
        ({"SLURM_STEP_TASKS_PER_NODE": "1(x2)"}, "contradicts itself"),
        ({"SLURM_PROCID": "3"}, "contradicts itself"),
        ({"SLURM_STEP_NUM_TASKS": "three"}, "invalid literal"),
        ({"SLURMD_NODENAME": "node9"}, "srun --distribution=block"),
    ],
)
def test_a_step_that_cannot_be_understood_is_explained(changes, message, monkeypatch):
    monkeypatch.setenv("PATH", "")
    with pytest.raises(UsageError, match=message):
        slurm.addresses({**STEP, "SLURM_PROCID": "1", **changes})


def test_a_missing_variable_is_named():
    with pytest.raises(UsageError, match="SLURM_STEP_NODELIST is not set"):
        slurm.addresses({"SLURM_PROCID": "0", "SLURM_STEP_NUM_TASKS": "2"})
