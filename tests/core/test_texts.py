import copy
import pickle

from chainrule.core.texts import Report


def test_a_report_is_shown_with_its_lines_and_is_a_text():
    report = Report("one\n'two'")
    assert repr(report) == str(report) == "one\n'two'"
    assert isinstance(report, str)
    assert report.splitlines() == ["one", "'two'"]
    assert {copy.copy(report), pickle.loads(pickle.dumps(report))} == {report}
