"""`offhook replay`: fold a recorded call anew and compare."""

from pathlib import Path
from typing import Annotated

import typer


def replay(
    tape: Annotated[Path, typer.Argument(metavar="TAPE", help="The tape of a call.")],
    timeline: Annotated[bool, typer.Option("--timeline", help="Print what happened when.")] = False,
    recording: Annotated[
        Path | None, typer.Option("--wav", metavar="FILE", help="Write the sound: the caller left, the agent right.")
    ] = None,
) -> None:
    """Play a recorded call again, without network and waiting, and say whether it takes the same course.

    Exit code 1: it does not, and the first difference is shown.
    """
    import msgspec

    from offhook.call.recording import stereo
    from offhook.call.replay import first_difference, story
    from offhook.call.tape import read
    from offhook.cli.files import writing
    from offhook.errors import ConfigurationError

    try:
        recorded = read(tape.read_bytes())
    except OSError as error:
        raise ConfigurationError(f"cannot read {tape}: {error.strerror}") from None
    if recording is not None:
        with writing(recording):
            recording.write_bytes(stereo(recorded))
    if timeline:
        for now, beat in story(recorded):
            facts = " ".join(f"{name}={value!r}" for name, value in msgspec.structs.asdict(beat).items())
            print(f"{now / 1e6:9.3f} s  {type(beat).__name__} {facts}")
    difference = first_difference(recorded)
    if difference is None:
        end = "." if recorded.whole else "; the tape breaks off there."
        print(f"The same: {len(recorded.steps)} inputs led to what they led to when they were recorded{end}")
        return
    number, now, event, outputs = difference.step
    print(f"Different from input {number} on, at {now / 1e6:.3f} s:")
    print(f"  input    {event}")
    print(f"  now      {', '.join(map(str, outputs)) or 'nothing'}")
    print(f"  recorded something else (digest {difference.recorded:08x}, now {difference.replayed:08x})")
    raise typer.Exit(1)
