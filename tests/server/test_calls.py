"""One call through whatever order of streams and webhooks: it always gets TwiML, and never keeps its line."""

from xml.etree import ElementTree

import httpx
from doors import AGENT, EchoDriver, EchoEngine, ids, lines_taken, ringing, run
from hypothesis import given
from hypothesis import strategies as st
from test_webhooks import calling

from offhook.carrier.events import StreamStarted, Track
from offhook.carrier.twilio import messages
from offhook.carrier.twilio.stream import TwilioStream
from offhook.carrier.twilio.tokens import PARAMETER
from offhook.server.answers import AFTER_PATH, DIALLED_PATH, STATUS_PATH
from offhook.server.calls import ServedCall
from offhook.server.desk import OwnDesk
from offhook.server.exchange import Exchange
from polling import until

CALL = ids(1)[0]
TWILIO = {
    "after": (AFTER_PATH, {}),
    "busy": (DIALLED_PATH, {"DialCallStatus": "busy"}),
    "completed": (DIALLED_PATH, {"DialCallStatus": "completed"}),
    "answered": (STATUS_PATH, {"CallSid": ids(7)[0], "ParentCallSid": CALL, "CallStatus": "in-progress"}),
    "gone": (STATUS_PATH, {"CallStatus": "completed"}),
    "gone, after": (AFTER_PATH, {"CallStatus": "completed"}),
    "gone, dialled": (DIALLED_PATH, {"CallStatus": "completed", "DialCallStatus": "canceled"}),
}
STREAM = ["*", "#", "0", "stop", "close", "come-back"]


class Socket:
    """A socket on which only texts go in."""

    def __init__(self, number: int) -> None:
        self.stream = TwilioStream()
        self.stream_id = ids(number)[1]
        self.start = messages.start(self.stream_id, CALL, "AC", parameters={})
        self.closed = self.left = False

    def put(self, text: str) -> None:
        assert messages.decode_command(text).stream_sid == self.stream_id

    def close(self, code: int = 1000) -> None:
        self.closed = True

    def leave(self) -> None:
        self.left = self.closed = True


class Journey:
    """Call 1, its sockets, and Twilio."""

    def __init__(self, exchange: Exchange, client: httpx.AsyncClient) -> None:
        self.exchange = exchange
        self.client = client
        self.sockets = [Socket(1)]
        started = StreamStarted(CALL, self.socket.stream_id, "AC", (Track.INBOUND,), True, {PARAMETER: "…"})
        self.call = ServedCall(exchange, started, self.socket, "http://127.0.0.1")
        exchange.switchboard.connect(self.call)
        self.driver = self.call.begin(AGENT)
        self.driver.on_text(self.socket.start)

    @property
    def socket(self) -> Socket:
        return self.sockets[-1]

    async def go(self, event: str) -> None:
        if event in TWILIO:
            path, more = TWILIO[event]
            answer = await self.client.post(path, data=ringing(1, **{"CallStatus": "in-progress", **more}))
            assert answer.status_code == 204 or ElementTree.fromstring(answer.text).tag == "Response"
        elif event == "come-back":
            if returning := self.exchange.transfers.take_back(CALL):
                assert returning is self.call
                self.sockets.append(Socket(len(self.sockets) + 1))
                self.driver = returning.come_back(self.socket, self.socket.stream_id)
                self.driver.on_text(self.socket.start)
        elif event == "close":
            self.socket.left = True
            self.call.stream_ended(self.socket, "closed")
        elif not self.socket.left:
            stop = messages.stop(self.socket.stream_id, CALL, "AC", sequence=9)
            self.driver.on_text(stop if event == "stop" else messages.dtmf(self.socket.stream_id, event, sequence=2))


JOURNEYS = st.lists(st.sampled_from([*TWILIO, *STREAM]), max_size=14)
AWAY = ["* close after busy come-back", "* close after", "* after busy", "*"]


@given(st.builds(lambda away, more: [*away.split(), *more], st.sampled_from(AWAY), JOURNEYS) | JOURNEYS)
def test_no_order_of_events_keeps_a_line(events: list[str]) -> None:
    async def scenario() -> None:
        engine = EchoEngine()
        engine.prepared.append(AGENT)
        async with calling(engine=engine) as (client, phone):
            exchange: Exchange = phone.state.exchange
            assert isinstance(exchange.desk, OwnDesk)
            assert not await exchange.desk.seat(CALL, "", 0.0)
            journey = Journey(exchange, client)
            (driver,) = engine.drivers
            assert isinstance(driver, EchoDriver)
            for event in events:
                await journey.go(event)
                assert lines_taken(exchange) == (driver.finished == 0)
                assert not driver.over or CALL not in exchange.transfers
            for event in ("close", "gone"):
                await journey.go(event)
            await until(lambda: driver.finished and not lines_taken(exchange))
            assert (lines_taken(exchange), exchange.switchboard.live, driver.finished) == (0, 0, 1)
            assert all(socket.closed for socket in journey.sockets[:-1])

    run(scenario())
