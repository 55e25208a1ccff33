"""Messages for the protocol's tests: one of each kind, and strategies that draw any."""

from dataclasses import replace

from hypothesis import strategies as st

from protocol.messages import (
    Answer,
    Cancel,
    Drain,
    Heartbeat,
    Held,
    Hello,
    Offer,
    Phase,
    PinGrant,
    Prefetch,
    Query,
    Refuse,
    Refused,
    Release,
    Renew,
    Report,
)
from protocol.topics import Address, reply
from protocol.types import (
    Cancelled,
    DeviceCard,
    Effect,
    Failed,
    FailureKind,
    Load,
    PinScope,
    Rejected,
    SkillInfo,
    Succeeded,
    Unknown,
    WarmResource,
)

LAPTOP = Address("acme", "lab", "laptop")
COORDINATOR = Address("acme", "lab", "coordinator")
REPLY_TO = reply(COORDINATOR, "laptop")

PIN = PinGrant("model", "llama", 4.0, PinScope.SHARED, "r-1", 7, 30.0, 60.0)
WARM = (
    WarmResource("model", "llama", 4.0, load_s=12.5),
    WarmResource("browser", "c-1", 0.5, "r-1"),
)
OFFER = Offer(
    attempt="a-1",
    run="r-1",
    task="collect",
    number=2,
    epoch=3,
    token=9,
    ttl_s=30.0,
    skill="files.read",
    args={"path": "/var/log/syslog", "lines": 100},
    effect=Effect.PURE,
    limit_s=60.0,
    pins=(PIN,),
    acks=("a-0",),
    incarnation="i-1",
)
ORDERS = (
    OFFER,
    Cancel("a-1", "r-1", 3),
    Query("a-1"),
    Answer("a-1", "r-1", 3, {"choice": ["yes", None]}),
    Renew({"r-1": 3}, ("a-1", "a-2"), 30.0, ("a-0",)),
    Renew({"r-1": 3}, (), 1.0, ("a-0",), (PIN, replace(PIN, scope=PinScope.RUN, release_s=0.0))),
    Answer("a-1", "r-1", 3, "yes", 2),
    Hello("coordinator", {"r-1": 3}, ("a-0",)),
    Refuse({"a-1": "r-1"}, {"r-1": 3}),
    Drain(on=True),
    Release(("r-1", "r-2")),
    Prefetch("r-1", 3, "files.read", ({"$artifact": {"sha256": "ab", "size_bytes": 70_000}},)),
)

FINISHED = Report("a-1", Phase.FINISHED, "r-1", "i-1", Succeeded({"lines": [1, 2]}), 0.25)
OUTCOMES = (
    Succeeded({"lines": [1, 2.5, None, "x", True]}),
    Succeeded(None),
    Failed(FailureKind.TRANSIENT, "busy disk", 2.0),
    Failed(FailureKind.BAD_INPUT, "no such file"),
    Rejected("draining"),
    Cancelled("told to"),
    Unknown("crashed after the start"),
)
REPORTS = (
    Report("a-1", Phase.ACCEPTED, "r-1", "i-1"),
    Report("a-1", Phase.STARTED, "r-1", "i-1", progress=0.5, note="half way"),
    Report("a-1", Phase.INPUT_REQUIRED, "r-1", "i-1", note="Which one?"),
    Report("a-1", Phase.FINISHED, "r-1", "i-1", Succeeded("done"), 1.5, note="that was easy"),
    *(Report("a-1", Phase.FINISHED, "r-1", "i-1", outcome, 0.25) for outcome in OUTCOMES),
    replace(FINISHED, warm=WARM),
    replace(FINISHED, fetched_bytes=70_000, fetch_s=0.5),
    Report("a-1", Phase.INPUT_REQUIRED, "r-1", "i-1", note="Sure?", question=2),
)
LOAD = Load(2, {"vram": 4.5}, WARM, draining=True, battery=0.5)
HELD = Held("laptop", "i-1", {"a-1": Phase.STARTED, "a-2": Phase.FINISHED}, LOAD)
REFUSED = Refused("a-1", -32004, "responder_unavailable", "too many requests")
STALE = Refused("a-1", -32010, "stale_epoch", "a later coordinator has it", 7)
REPLIES = (*REPORTS, HELD, REFUSED, STALE, Refused("", -32700, "", "not JSON"))

HEARTBEAT = Heartbeat("laptop", "i-1", LOAD, ("a-1", "a-2"), connected=True, asking={"a-1": 2})
CARD = DeviceCard(
    "laptop",
    "My laptop",
    {"room": "12"},
    (
        SkillInfo(
            "files.read",
            "Read a file",
            {"type": "object", "required": ["path"]},
            {"type": "object"},
            Effect.PURE,
            0.5,
        ),
        SkillInfo("shell.run"),
    ),
    4,
    {"vram": 8.0},
    1.5,
    bandwidth=12.5e6,
    prefetches=True,
)

ids = st.text(min_size=1, max_size=40)
counters = st.integers(0, 2**63 - 1)
seconds = st.floats(0, 1e15)
finite = st.floats(allow_nan=False, allow_infinity=False)
values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**64), 2**64) | finite | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)
objects = st.dictionaries(st.text(), values, max_size=4)
id_tuples = st.lists(ids, max_size=4).map(tuple)
epochs = st.dictionaries(ids, counters, max_size=4)
names = st.text(max_size=256)
amounts = st.floats(0, allow_infinity=False)
pins = st.builds(
    PinGrant, names, names, amounts, st.sampled_from(PinScope), ids, counters, seconds, seconds
)
pin_tuples = st.lists(pins, max_size=2).map(tuple)
warm = st.builds(WarmResource, names, names, amounts, st.none() | ids, st.none() | seconds)
warm_tuples = st.lists(warm, max_size=3).map(tuple)
orders = st.one_of(
    st.builds(
        Offer,
        attempt=ids,
        run=ids,
        task=ids,
        number=counters,
        epoch=counters,
        token=counters,
        ttl_s=seconds,
        skill=st.text(),
        args=objects,
        effect=st.sampled_from(Effect),
        limit_s=st.none() | seconds,
        pins=pin_tuples,
        acks=id_tuples,
    ),
    st.builds(Cancel, ids, ids, counters),
    st.builds(Query, ids),
    st.builds(Answer, ids, ids, counters, values, counters),
    st.builds(Renew, epochs, id_tuples, seconds, id_tuples, pin_tuples),
    st.builds(Hello, ids, epochs, id_tuples),
    st.builds(Refuse, st.dictionaries(ids, ids, max_size=4), epochs),
    st.builds(Drain, on=st.booleans()),
    st.builds(Release, id_tuples),
    st.builds(Prefetch, ids, counters, st.text(), st.lists(objects, max_size=2).map(tuple)),
)
failures = st.builds(Failed, st.sampled_from(FailureKind), st.text(), st.none() | seconds)
unfinished = st.builds(
    Report,
    attempt=ids,
    phase=st.sampled_from([Phase.ACCEPTED, Phase.STARTED, Phase.INPUT_REQUIRED]),
    run=st.none() | ids,
    incarnation=st.none() | ids,
    progress=st.none() | st.floats(0, 1),
    note=st.text(),
    question=counters,
)
finished = st.builds(
    Report,
    attempt=ids,
    phase=st.just(Phase.FINISHED),
    run=st.none() | ids,
    incarnation=st.none() | ids,
    outcome=st.one_of(
        st.builds(Succeeded, values),
        failures,
        st.builds(Rejected, st.text()),
        st.builds(Cancelled, st.text()),
        st.builds(Unknown, st.text()),
    ),
    run_s=st.none() | seconds,
    warm=warm_tuples,
)
loads = st.builds(
    Load,
    counters,
    st.dictionaries(ids, finite, max_size=3),
    warm_tuples,
    st.booleans(),
    st.none() | st.floats(0, 1),
)
replies = st.one_of(
    unfinished,
    finished,
    st.builds(Held, ids, ids, st.dictionaries(ids, st.sampled_from(Phase), max_size=4), loads),
)
heartbeats = st.builds(Heartbeat, st.just("laptop"), ids, loads, id_tuples, st.booleans(), epochs)
skills = st.builds(
    SkillInfo,
    ids,
    st.text(),
    st.none() | objects,
    st.none() | objects,
    st.sampled_from(Effect),
    st.none() | seconds,
)
cards = st.builds(
    DeviceCard,
    st.just("laptop"),
    ids,
    st.dictionaries(ids, st.text(), max_size=3),
    st.lists(skills, max_size=3, unique_by=lambda skill: skill.name).map(tuple),
    counters,
    st.dictionaries(ids, seconds, max_size=3),
    st.floats(0.001, 1000),
    bandwidth=st.none() | st.floats(1, 1e15),
    prefetches=st.booleans(),
)
