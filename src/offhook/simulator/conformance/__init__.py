"""What every transcriber, language model, voice and speech model must do, as checks that anybody can run over theirs.

    @pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
    def test_acme_conforms(check):
        run(check, lambda: Subject(AcmeVoice))

A `Subject` is a provider with its surroundings. One whose surroundings can be put out of order, and seen from the other
side, is examined in full. Some checks are about one kind of provider, and find nothing wrong with others. `Streamed`
asks a transcriber's streams what is otherwise asked of itself. A check that finds something wrong raises
AssertionError.
"""

from offhook.simulator.conformance.kinds import Questions
from offhook.simulator.conformance.listening import Streamed
from offhook.simulator.conformance.subject import Subject
from offhook.simulator.conformance.suite import CHECKS, run

__all__ = ["CHECKS", "Questions", "Streamed", "Subject", "run"]
