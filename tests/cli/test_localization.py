"""The command `reproduce localization`."""

from reproductions.cli.main import main
from reproductions.lab.evaluation.localization import Box
from tests.helpers.boxes import WNIDS, write_guesses, write_truth


def test_the_error_is_printed(tmp_path, capsys):
    truth = write_truth(tmp_path / "truth", [[Box(WNIDS[0], 0, 0, 9, 9)]] * 2)
    guesses = write_guesses(tmp_path / "guesses.txt", [[Box(WNIDS[i], 0, 0, 9, 9)] for i in range(2)])
    main(["localization", str(guesses), "--truth", str(truth)])
    output = capsys.readouterr().out
    assert "localization error 50.00% (1 of 2; 95% interval" in output
    assert "classification error of the same guesses 50.00%" in output


def test_a_missing_folder_is_refused(refusal):
    assert "nowhere contains no XML files" in refusal("localization", "guesses.txt", "--truth", "nowhere")


def test_the_command_needs_no_tensorflow(tmp_path, new_reproduce):
    write_truth(tmp_path / "truth", [[Box(WNIDS[0], 0, 0, 9, 9)]])
    write_guesses(tmp_path / "guesses.txt", [[Box(WNIDS[0], 0, 0, 9, 9)]])
    done = new_reproduce(
        "localization", "guesses.txt", "--truth", "truth", before="import sys; sys.modules['tensorflow'] = None"
    )
    assert "localization error 0.00%" in done.stdout, done.stderr
