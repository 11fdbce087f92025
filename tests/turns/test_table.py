"""The turn table is whole: every pair is listed once, and no joint state is a trap."""

from itertools import product
from typing import Any

import pytest

from offhook.turns.events import Event, Move
from offhook.turns.patience import Patience
from offhook.turns.table import (
    AGENT,
    AGENT_IGNORES,
    CALLER,
    CALLER_IGNORES,
    JOINT,
    Agent,
    Caller,
    Clock,
    Since,
)


@pytest.mark.parametrize("state", Caller)
def test_every_event_is_listed_for_the_caller(state: Caller) -> None:
    leads = {event for at, event in CALLER if at is state}
    assert leads | CALLER_IGNORES[state] == set(Event)
    assert leads & CALLER_IGNORES[state] == set()


@pytest.mark.parametrize("state", Agent)
def test_every_event_is_listed_for_the_agent(state: Agent) -> None:
    leads = {event for at, event in AGENT if at is state}
    assert leads | AGENT_IGNORES[state] == set(Event)
    assert leads & AGENT_IGNORES[state] == set()


def test_every_event_means_something_to_somebody_or_is_news_of_the_line() -> None:
    """Three are known to nobody yet: they are heard in every state, and change none."""
    told = {event for _, event in (*CALLER, *AGENT)}
    assert set(Event) - told == {Event.EXPECTATION_CHANGED, Event.LINE_STALLED, Event.LINE_RESUMED}


def test_every_move_is_made_by_some_road() -> None:
    assert {rule.move for rule in JOINT.values()} | {step.move for step in AGENT.values()} == {*Move, None}


@pytest.mark.parametrize("states", JOINT, ids=str)
def test_a_wait_is_a_field_of_patience(states: tuple[Caller, Agent]) -> None:
    assert isinstance(getattr(Patience(), JOINT[states].wait), int)


@pytest.mark.parametrize("states", JOINT, ids=str)
def test_rules_lead_to_a_state_that_lasts(states: tuple[Caller, Agent]) -> None:
    """With however little patience: rules do not chase each other. Waits for sound begin anew in each state."""
    road = [states]
    while (rule := JOINT.get(road[-1])) is not None and (len(road) == 1 or rule.wait == "none"):
        road.append((rule.caller, rule.agent))
        assert len(set(road)) == len(road), f"a ring: {road}"
    assert len(road) <= 4


def test_what_is_counted_from_a_sound_belongs_to_a_caller_who_made_it() -> None:
    for (caller, _), rule in JOINT.items():
        if rule.since is Since.SPEECH_STARTED:
            assert caller is Caller.SPEAKING
        if rule.since is Since.SPEECH_STOPPED:
            assert caller is Caller.PAUSED
        if rule.since is not Since.ENTERED:
            assert rule.clock is Clock.AUDIO


def test_turns_end_only_where_they_can() -> None:
    ends = [states for states, rule in JOINT.items() if rule.move is Move.END_TURN]
    assert ends == [(Caller.PAUSED, Agent.LISTENING)]
    assert all(step.move is not Move.END_TURN for step in AGENT.values())


def test_a_hold_always_has_a_way_out() -> None:
    """By itself, whatever the caller does; and none of them leads into another hold at once."""
    for caller in set(Caller) - {Caller.ABSENT}:
        assert (caller, Agent.HOLDING) in JOINT
        rule = JOINT[caller, Agent.HOLDING]
        assert (rule.agent, rule.move) in ((Agent.THINKING, Move.RESUME), (Agent.LISTENING, Move.INTERRUPT))


def test_nobody_waits_for_ever_on_a_line_on_which_nobody_speaks() -> None:
    """Where both are silent and nothing is under way, something happens in the end."""
    assert {(caller, Agent.LISTENING) for caller in (Caller.SILENT, Caller.PAUSED, Caller.WAITING)} <= JOINT.keys()


def test_nothing_but_its_end_follows_a_goodbye() -> None:
    roads: dict[Event, Any] = {event: step for (state, event), step in AGENT.items() if state is Agent.SAYING_GOODBYE}
    assert roads.keys() == {Event.CALLER_LEFT, Event.PLAYBACK_FINISHED, Event.TRANSFER_STARTED}
    assert roads[Event.PLAYBACK_FINISHED].move is Move.HANG_UP
    assert not any(agent is Agent.SAYING_GOODBYE for _, agent in JOINT)


def test_all_states_can_be_reached() -> None:
    reached = {(Caller.ABSENT, Agent.NOT_STARTED)}
    while True:
        further = {
            (CALLER.get((caller, event), caller), AGENT[agent, event].to if (agent, event) in AGENT else agent)
            for (caller, agent), event in product(reached, Event)
        } | {(rule.caller, rule.agent) for states in reached if (rule := JOINT.get(states))}
        if further <= reached:
            break
        reached |= further
    assert {caller for caller, _ in reached} == set(Caller)
    assert {agent for _, agent in reached} == set(Agent)
    # Both arrive and leave together.
    assert {states for states in reached if Caller.ABSENT in states or Agent.NOT_STARTED in states} == {
        (Caller.ABSENT, Agent.NOT_STARTED)
    }
